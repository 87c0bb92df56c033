"""The demo is made through the real operations, is made once, is true to itself, and works in demo mode alone."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from pydantic import SecretStr

from api.demo import CAST, make, where_to_look
from api.demo.lab import Lab
from api.settings import DEMO_LICENCE
from domain import audit
from domain.audit import verify
from domain.certificates.look_up import public_lot
from domain.certificates.queries import anchors
from domain.disposition.decisions import ReleaseLot, release_lot
from domain.documents import Documents
from domain.errors import NotFound, Unauthenticated
from domain.gs1 import gtin_is_valid
from domain.lots.models import LotKind, LotState
from domain.lots.queries import LotRow, find_lots
from domain.people import passwords
from domain.people.models import SignInKind
from domain.people.operations import sign_in
from domain.people.queries import actor_of
from domain.signatures import Credentials
from domain.store import engine_for, reading
from domain.work import Profile, Site, perform
from migrations import upgrade
from reports.labels import print_labels
from tests import servers
from tests.cast import raw
from tests.databases import Databases
from tests.printing import press
from tests.signing.keys import log_key

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
PROFILE = Profile(demo=True, licence=DEMO_LICENCE)


@pytest.fixture
def empty(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty database in demo mode."""
    monkeypatch.setattr(passwords, "demo_hasher", CHEAP)
    engine = engine_for(databases.fresh("empty"))
    yield Site(
        engine,
        Documents("memory://"),
        press(),
        PROFILE,
        clock=lambda: NOW,
        log_key=log_key(),
        print_labels=print_labels,
    )
    engine.dispose()


Made = tuple[str, str, Documents]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Made:
    """The finished demo on one engine, then on the other, made once a worker: engine, database, documents."""
    kind, documents = str(request.param), Documents("memory://")
    path = tmp_path_factory.mktemp("demo") / "made.db"
    name = f"demo_made_{worker_id}"
    engine = engine_for(f"sqlite:///{path}" if kind == "sqlite" else servers.create_database(name))
    upgrade(engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "demo_hasher", CHEAP)
        make(Site(engine, documents, press(), PROFILE, clock=lambda: NOW, log_key=log_key(), print_labels=print_labels))
    if kind == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return kind, str(path) if kind == "sqlite" else name, documents


@pytest.fixture
def demo(made: Made, tmp_path: Path, worker_id: str) -> Iterator[Site]:
    """A copy of the finished demo."""
    kind, source, documents = made
    copy = tmp_path / "demo.db"
    if kind == "sqlite":
        shutil.copyfile(source, copy)
    url = f"sqlite:///{copy}" if kind == "sqlite" else servers.create_database(f"demo_{worker_id}", template=source)
    engine = engine_for(url)
    yield Site(engine, documents, press(), PROFILE, clock=lambda: NOW, log_key=log_key(), print_labels=print_labels)
    engine.dispose()


def head(site: Site) -> audit.Head:
    """The newest entry of the audit trail."""
    with reading(site.engine) as session:
        return audit.head(session)


def products(site: Site, state: LotState) -> tuple[LotRow, ...]:
    """The lots of drug product in a state."""
    with reading(site.engine) as session:
        return find_lots(session, site.today(), state=state, kind=LotKind.DRUG_PRODUCT).lots


def real(site: Site) -> Site:
    """The same database, served without demo mode."""
    return replace(site, profile=replace(PROFILE, demo=False))


def test_the_demo_shows_every_state_a_visitor_wants_to_see_and_its_audit_trail_is_whole(demo: Site) -> None:
    assert {lot.product_code for lot in products(demo, LotState.RELEASED)} == {"AD-EV-100", "UC-EV-50"}
    for state in (LotState.ON_HOLD, LotState.UNDER_TEST, LotState.RECALLED, LotState.QA_REVIEW):
        assert len(products(demo, state)) == 1, state
    with reading(demo.engine) as session:
        assert find_lots(session, demo.today(), kind=LotKind.LYOPHILIZED_VIALS, state=LotState.IN_PROCESS).lots
        assert find_lots(session, demo.today(), kind=LotKind.RAW_MATERIAL, state=LotState.QUARANTINE).lots
        printed = list(anchors(session))
    found = verify(demo.engine, printed)
    assert found.broken is None
    assert len(printed) == 6
    assert raw(demo, "SELECT count(*) FROM audit_entry WHERE outcome = 'refused'")[0][0] == 0
    times = [row[0] for row in raw(demo, "SELECT at FROM audit_entry ORDER BY sequence")]
    assert times == sorted(times)
    assert times[-1] < NOW.isoformat()


def test_the_demo_shows_what_goes_wrong_on_a_bench(demo: Site) -> None:
    assert raw(demo, "SELECT count(*) FROM reading WHERE replaces_id IS NOT NULL")[0][0] == 1
    assert raw(demo, "SELECT count(*) FROM reading WHERE alert IS NOT NULL")[0][0] >= 1
    assert (
        raw(demo, "SELECT count(*) FROM result WHERE replaces_id IS NOT NULL AND reason LIKE '%transcribed%'")[0][0]
        == 1
    )
    assert (
        raw(
            demo, f"SELECT count(*) FROM reading WHERE late = {'1' if demo.engine.dialect.name == 'sqlite' else 'true'}"
        )[0][0]
        == 1
    )


def test_making_the_demo_again_changes_nothing(demo: Site) -> None:
    before = head(demo)
    assert "nothing was changed" in make(demo)
    assert head(demo) == before


def test_the_figures_of_a_demo_certificate_make_sense_together(demo: Site) -> None:
    for row in products(demo, LotState.RELEASED):
        with reading(demo.engine) as session:
            shown = public_lot(session, row.lot_number, demo.today())
        certificate = json.loads(shown.content)
        results = {line["code"]: line["result"]["en"] for line in certificate["tests"]}
        assert 18 <= len(results) <= 28
        awaited = set(shown.awaited.tests) if shown.awaited else set()
        assert all(line["verdict"] in ("pass", "reported") or line["code"] in awaited for line in certificate["tests"])
        per_ml, per_vial = (Decimal(results[code].split()[0]) for code in ("PART-CONC", "PART-VIAL"))
        volume = Decimal(certificate["product"]["reconstitution"]["en"].split()[0])
        label = Decimal(certificate["product"]["strength"].split()[0])
        assert abs(per_ml * volume / per_vial - 1) < Decimal("0.03")
        assert Decimal("0.8") <= per_vial / label <= Decimal("1.2")
        curve = certificate["distributions"][0]
        assert 95 <= Decimal(curve["mode"]) <= 120
        assert "60 nm" in curve["lower_limit"]["en"]
        assert results["ENDO"] == "< 0.05 {EU}/mL"
        assert any("class B" in line["note"]["en"] for line in certificate["tests"] if line["code"] == "RATIO-PP")
        assert gtin_is_valid(certificate["product"]["gtin"])
        assert row.manufactured_on is not None


def test_the_waiting_lot_can_be_released_by_the_visitor(demo: Site) -> None:
    (waiting,) = products(demo, LotState.QA_REVIEW)
    cleo = next(one for one in CAST if one.username == "cleo")
    actor = actor_of(demo, sign_in(demo, "cleo", cleo.password, SignInKind.PAGE), SignInKind.PAGE)
    credentials = Credentials(username="cleo", password=SecretStr(cleo.password))
    command = ReleaseLot(lot_number=waiting.lot_number, reason="complies", credentials=credentials)
    perform(demo, actor, release_lot, command)
    with reading(demo.engine) as session:
        assert public_lot(session, waiting.lot_number, demo.today()).state is LotState.RELEASED


def test_the_public_look_up_knows_released_and_recalled_demo_lots_and_no_others(demo: Site) -> None:
    with reading(demo.engine) as session:
        for state in (LotState.RELEASED, LotState.RECALLED):
            assert public_lot(session, products(demo, state)[0].lot_number, demo.today()).state is state
        for state in (LotState.ON_HOLD, LotState.UNDER_TEST, LotState.QA_REVIEW):
            with pytest.raises(NotFound):
                public_lot(session, products(demo, state)[0].lot_number, demo.today())


def test_the_places_and_passwords_that_are_printed_are_right(demo: Site) -> None:
    lines = "\n".join(where_to_look(demo, "http://127.0.0.1:8000/"))
    for state in (LotState.RELEASED, LotState.RECALLED):
        assert f"http://127.0.0.1:8000/c/{products(demo, state)[0].lot_number}" in lines
    for one in CAST:
        assert f"{one.username:<11}{one.password}" in lines
        token = sign_in(demo, one.username, one.password, SignInKind.TOKEN)
        assert actor_of(demo, token, SignInKind.TOKEN).name == one.name


@pytest.mark.requirement("URS-060")
def test_demo_accounts_are_of_no_use_outside_demo_mode(demo: Site) -> None:
    kinds = (SignInKind.TOKEN, SignInKind.PAGE)
    tokens = {kind: sign_in(demo, "cleo", "silver compass six", kind) for kind in kinds}
    signer = actor_of(demo, tokens[SignInKind.PAGE], SignInKind.PAGE)
    for kind in kinds:
        with pytest.raises(Unauthenticated):
            sign_in(real(demo), "cleo", "silver compass six", kind)
        with pytest.raises(Unauthenticated):
            actor_of(real(demo), tokens[kind], kind)
    (waiting,) = products(demo, LotState.QA_REVIEW)
    credentials = Credentials(username="cleo", password=SecretStr("silver compass six"))
    with pytest.raises(Unauthenticated):
        perform(real(demo), signer, release_lot, ReleaseLot(lot_number=waiting.lot_number, credentials=credentials))
    assert sign_in(demo, "cleo", "silver compass six", SignInKind.PAGE)


@pytest.mark.requirement("URS-060")
def test_no_demo_is_made_outside_demo_mode(empty: Site) -> None:
    with pytest.raises(SystemExit, match="demo mode"):
        make(real(empty))
    assert head(empty).sequence == 0


@pytest.mark.requirement("URS-060")
def test_demo_lots_are_never_mixed_with_real_ones(site: Site) -> None:
    before = head(site)
    with pytest.raises(SystemExit, match="not empty"):
        make(replace(site, profile=Profile(demo=True)))
    assert head(site) == before


def test_an_interrupted_demo_says_so_instead_of_going_on(empty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_lab: Lab, *_stories: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lab, "tell", stop)
        with pytest.raises(KeyboardInterrupt):
            make(empty)
    before = head(empty)
    with pytest.raises(SystemExit, match="interrupted"):
        make(empty)
    assert head(empty) == before


def test_the_accounts_of_the_tests_are_no_demo_accounts(site: Site) -> None:
    assert not any(row[0] for row in raw(site, "SELECT demo FROM app_user"))
    with site.engine.connect() as connection:
        assert "demo" in {column["name"] for column in sa.inspect(connection).get_columns("app_user")}
