"""The description of the API is read without any other host, and runs only what this site serves."""

import re

from domain.work import Site
from tests.web.browsing import Browser


def test_the_description_of_the_api_refers_to_no_other_host(site: Site) -> None:
    browser = Browser(site)
    answer = browser.open("/docs")
    assert answer.status_code == 200
    addresses = re.findall(r"""(?:src|href)="([^"]+)"|url: '([^']+)'""", answer.text)
    local = [one or other for one, other in addresses]
    assert "/openapi.json" in local
    assert all(address.startswith("/") and not address.startswith("//") for address in local)
    for address in local:
        assert browser.open(address).status_code == 200, address


def test_the_description_runs_only_the_scripts_of_this_site(site: Site) -> None:
    policy = Browser(site).open("/docs").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert Browser(site).open("/redoc").status_code == 404
