"""A browser without pictures: it keeps cookies, and sends the token that the form in front of it carries."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from api.main import create_app
from domain.work import Site
from tests.cast import password

PAGE = {"accept": "text/html"}


class Page(HTMLParser):
    """What a page holds: its controls with their values, and its links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.links: list[str] = []
        self.attributes: dict[str, dict[str, str | None]] = {}
        self._area = self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if given.get("id"):
            self.attributes[given["id"] or ""] = given
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        if tag == "input" and name and given.get("type") != "checkbox":
            self.values.setdefault(name, given.get("value") or "")
        if tag == "select":
            self._select = name
        if tag == "option" and self._select and ("selected" in given or self._select not in self.values):
            self.values[self._select] = given.get("value") or ""
        if tag == "textarea":
            self._area = name
            self.values.setdefault(name, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        if tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data


class Browser:
    """Somebody at a browser."""

    def __init__(self, site: Site, username: str | None = None) -> None:
        self.client = TestClient(create_app(site), follow_redirects=False, raise_server_exceptions=False)
        if username:
            self.sign_in(username)

    def sign_in(self, username: str, secret: str | None = None, target: str = "") -> Response:
        """Through the form, as everybody."""
        given = {
            "csrf": self.token("/sign-in"),
            "username": username,
            "password": secret or password(username),
            "next": target,
        }
        return self.client.post("/sign-in", data=given, headers=PAGE)

    def open(self, path: str, **headers: str) -> Response:
        """Look at a page."""
        return self.client.get(path, headers={**PAGE, **headers})

    def token(self, path: str) -> str:
        """What the form on that page carries."""
        return Page(self.open(path).text).values["csrf"]

    def send(self, path: str, fields: Mapping[str, Any] | None = None, files: Any = None, **more: Any) -> Response:
        """Fill in the form of a page, all that is preset included, and send it."""
        given = {**Page(self.open(path).text).values, **(fields or {}), **more}
        return self.client.post(path, data=given, files=files, headers=PAGE)


def errors_at(answer: Response, name: str) -> str:
    """The words of the error beside a field."""
    found = re.findall(rf'id="e-{re.escape(name)}-\d+">.*?</svg><span>.*?</span>(.*?)</span>', answer.text, re.DOTALL)
    return " ".join(found)


def signed(username: str) -> dict[str, str]:
    """Both components of somebody's signature, as typed."""
    return {"credentials.username": username, "credentials.password": password(username)}
