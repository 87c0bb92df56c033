"""A house for every story, on both engines."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from domain.work import Site
from tests.stories.over_http import House, Story


@pytest.fixture
def house(site: Site) -> Iterator[House]:
    """The application of the site; a failure inside it answers as it would on a server."""
    with TestClient(create_app(site, threads=20), raise_server_exceptions=False) as client:
        yield House(client)


@pytest.fixture
def story(house: House, site: Site) -> Story:
    """A lot to follow."""
    return Story(house, site)
