"""The production shape holds no default secret, no root and no moving target."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "app", "worker")
SECRET = re.compile(r"PASSWORD|SECRET|ACCESS_KEY")
REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")
DOCKERFILE = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
INSTRUCTIONS = re.findall(r"(?m)^(\w+)\s+(.*)$", re.sub(r"(?m)^#.*\n", "", DOCKERFILE))


def test_the_shape_is_a_database_an_object_store_a_migration_the_application_and_its_worker() -> None:
    assert set(SERVICES) == {"postgres", "objects", *OURS}


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_by_a_tag(name: str) -> None:
    tag = re.sub(r"^\$\{\w+:-(.+)\}$", r"\1", SERVICES[name]["image"].partition(":")[2])
    assert re.match(r"v?\d+\.\d+", tag), "an image without a version changes under a validated system"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_service_that_stays_is_asked_for_its_health_and_started_again(name: str) -> None:
    health = SERVICES[name]["healthcheck"]
    assert health["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(health)
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_every_secret_comes_from_outside_and_none_has_a_default(name: str) -> None:
    environment = SERVICES[name]["environment"]
    secrets = {key: value for key, value in environment.items() if SECRET.search(key)}
    assert secrets
    assert all(REQUIRED.fullmatch(value) for value in secrets.values())
    assert not [value for value in environment.values() if re.search(r"://\w+:(?!\$\{)[^@/]*@", value)]


def test_the_example_names_every_setting_that_is_asked_for_and_gives_no_secret_away() -> None:
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    given = dict(line.split("=", 1) for line in lines)
    assert set(given) == set(REQUIRED.findall((ROOT / "docker-compose.yml").read_text()))
    assert not any(given.values())


@pytest.mark.parametrize("name", OURS)
def test_our_containers_run_without_root_on_a_file_system_they_cannot_change(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in {"", "0", "root"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


def test_migrations_run_once_and_before_the_application_and_its_worker() -> None:
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["command"] == ["migrate"]
    for name in ("app", "worker"):
        conditions = {needed: how["condition"] for needed, how in SERVICES[name]["depends_on"].items()}
        assert conditions == {
            "postgres": "service_healthy",
            "objects": "service_healthy",
            "migrate": "service_completed_successfully",
        }


@pytest.mark.parametrize("name", ["postgres", "objects"])
def test_what_has_to_last_lies_on_a_named_volume(name: str) -> None:
    volumes = [volume.split(":")[0] for volume in SERVICES[name]["volumes"]]
    assert volumes
    assert set(volumes) <= set(COMPOSE["volumes"])


def test_nothing_listens_beyond_the_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_our_services_are_one_image_that_one_of_them_builds() -> None:
    assert len({SERVICES[name]["image"] for name in OURS}) == 1
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["migrate"]


def test_demonstration_accounts_have_no_place_in_production() -> None:
    assert "EXOLOTL_DEMO" not in (ROOT / "docker-compose.yml").read_text() + DOCKERFILE


def test_the_image_ends_as_an_unprivileged_user_and_names_its_health() -> None:
    last = len(INSTRUCTIONS) - 1 - [name for name, _ in reversed(INSTRUCTIONS)].index("FROM")
    final = INSTRUCTIONS[last:]
    users = [text for name, text in final if name == "USER"]
    assert users
    assert users[-1].split(":")[0] not in {"0", "root"}
    assert "/health/ready" in dict(final)["HEALTHCHECK"]
    assert all(re.search(r":\d+\.\d+", text) for name, text in INSTRUCTIONS if name == "FROM")


def test_the_image_is_built_from_the_lock_file_and_nothing_else() -> None:
    installs = [line for name, text in INSTRUCTIONS if name == "RUN" for line in re.findall(r"pip install.*", text)]
    assert any("--require-hashes" in line and "requirements.lock" in line for line in installs)
    assert all("--no-deps" in line for line in installs)


def test_the_image_takes_only_what_runs() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert not {"!tests", "!data", "!.env", "!.git"} & set(rules)
