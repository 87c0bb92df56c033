"""The application of the site, asked as a browser or a program would."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.main import create_app
from domain.work import Site
from tests.stories.over_http import House, Story


@pytest.fixture
def app(site: Site) -> FastAPI:
    return create_app(site, threads=8)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Somebody without an account; a failure inside answers as it would on a server."""
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def house(client: TestClient) -> House:
    return House(client)


@pytest.fixture
def story(house: House, site: Site) -> Story:
    return Story(house, site)
