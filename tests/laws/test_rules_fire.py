"""No rule is there for show: each condition has been seen to refuse, each part of a lot's history has kept its doers from signing."""

import ast
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from sqlmodel import select

from api.settings import Settings
from domain import store
from domain.disposition.decisions import HoldLot, hold_lot
from domain.lots.lifecycle import DOERS, GUARDS, RULES, Case, blockers
from domain.lots.models import Lot
from domain.people.models import User
from domain.permissions import Permission
from domain.work import Site
from tests import build, governed
from tests.cast import act, actor, credentials, raw
from tests.disposition.test_readiness import codes_of
from tests.stages import LOT

TESTS = Path(__file__).parents[1]
PAIRS = sorted({(rule.action, part) for rule in RULES.values() for part in rule.not_by})


@cache
def compared() -> frozenset[str]:
    """Every text that some test compares something with: where a test asserts the code of a refusal, it is among them."""
    return frozenset(
        one.value
        for file in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )


@pytest.mark.parametrize("name", sorted({name for rule in RULES.values() for name in rule.guards}))
def test_a_condition_that_can_never_refuse_is_not_in_the_table(name: str) -> None:
    """A verifier rule that can never fire: each guard gives reasons, and a test has seen one of them stand in the way."""
    codes = set(codes_of(GUARDS[name], set()))
    assert codes, f"{name} gives no reason at all"
    assert codes & compared(), f"no test asserts one of {sorted(codes)}"


@pytest.mark.stage("three_signatures")
@pytest.mark.requirement("URS-042", "URS-186")
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("action", "part"), PAIRS)
def test_whoever_took_that_part_is_refused_that_act(site: Site, action: str, part: str) -> None:
    build.confirmed(site, LOT)
    build.resubmitted(site, LOT)
    act(site, "rhea", hold_lot, HoldLot(lot_number=LOT, reason="doubt", credentials=credentials("rhea")))
    with store.reading(site.engine) as session:
        lot = session.exec(select(Lot).where(Lot.lot_number == LOT)).one()
        case = Case(session, lot, site.clock(), site.today())
        did = DOERS[part](case)
        assert did, f"nobody {part} this lot: that rule could never fire"
        names = {user.key: user.username for user in session.exec(select(User)).all()}
        everybody = set(names)
        for user_id in sorted(did):
            mighty = replace(actor(site, names[user_id]), permissions=frozenset(Permission))
            told = [one for one in blockers(case, action, mighty) if one.given.get("part") == part]
            assert [one.code for one in told] == ["not-by-same-person"]
        for user_id in sorted(everybody - did):
            mighty = replace(actor(site, names[user_id]), permissions=frozenset(Permission))
            assert not [one for one in blockers(case, action, mighty) if one.given.get("part") == part]


def test_there_is_no_audit_switch(site: Site) -> None:
    """An audit switch: no setting names the trail, and a session that nobody listens to writes nothing."""
    assert not [name for name in Settings.model_fields if "audit" in name or "trail" in name]
    before = raw(site, "SELECT count(*) FROM lot")
    lot = Lot(lot_number="X", kind="harvest", state="in_process", unit="mL", created_at=site.clock())
    with store.writing(site.engine) as session:
        session.add(lot)
        with pytest.raises(RuntimeError):
            session.commit()
    assert raw(site, "SELECT count(*) FROM lot") == before


def told(site: Site, number: str, action: str) -> set[str]:
    """The codes of everything that stands in the way of an act on a lot."""
    with store.reading(site.engine) as session:
        lot = session.exec(select(Lot).where(Lot.lot_number == number)).one()
        case = Case(session, lot, site.clock(), site.today())
        return {one.code for one in blockers(case, action, actor(site, "cleo"))}


ONE_ENGINE = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


@ONE_ENGINE
def test_an_input_is_not_released_as_a_product_nor_recalled_before_it_was_released(site: Site) -> None:
    number = build.material(site)
    assert "not-a-drug-product" in told(site, number, "release")
    assert "never-released" in told(site, number, "recall")


@ONE_ENGINE
def test_a_lot_of_an_open_step_is_neither_accepted_nor_released(site: Site) -> None:
    donor = build.eligible_donor(site)
    number = build.begun(site, "procurement", {}, [(build.K.DONATION, "g")], donor=donor).lot
    assert "step-open" in told(site, number, "accept")
    assert "step-open" in told(site, number, "release")


@ONE_ENGINE
@pytest.mark.stage("drug_product")
def test_a_slow_test_that_runs_and_a_sample_that_the_plan_asks_for_stand_in_the_way(site: Site) -> None:
    from domain.laboratory.sterility import Inoculate, inoculate
    from tests.laboratory import control, test_sampling

    test_sampling.plan(site, test_sampling.line("release", "10", "STER"), test_sampling.line("particles", "5", "PH"))
    control.method(site, "STER", read_every_days=7)
    sample = build.sampled(site, LOT)
    act(site, "ben", inoculate, Inoculate(sample_number=sample, units=10, media="FTM, TSB", method_code="SOP-STER"))
    assert {"slow-test-open", "sample-missing"} <= told(site, LOT, "submit")


@ONE_ENGINE
@pytest.mark.stage("governed")
def test_a_sample_that_the_recipe_asks_for_stands_in_the_way(site: Site) -> None:
    number = governed.drug_product(site)
    assert "sample-missing" in {one.code for one in GUARDS["samples-taken"](case_of(site, number))}
    build.sampled(site, number)
    assert not list(GUARDS["samples-taken"](case_of(site, number)))


def case_of(site: Site, number: str) -> Case:
    """A lot as it stands now."""
    with store.reading(site.engine) as session:
        lot = session.exec(select(Lot).where(Lot.lot_number == number)).one()
        return Case(session, lot, site.clock(), site.today())
