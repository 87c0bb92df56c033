"""Readiness as data: the same reasons feed the act, the page and the interface, in two languages and with their records."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.problem_types import problem_types
from domain.disposition.decisions import HoldLot, hold_lot
from domain.disposition.queries import lot_file
from domain.disposition.readiness import Blocker, blocker, catalogue, readiness
from domain.errors import Reason, Refused
from domain.laboratory.verdict import Verdict
from domain.lots.lifecycle import DOERS, GUARDS, RULES
from domain.permissions import ROLES
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import act, actor, credentials, raw
from tests.deviations.steps import opened
from tests.stages import LOT

AT_QA = pytest.mark.stage("in_review")
MADE = pytest.mark.stage("drug_product")


def told(site: Site, number: str, action: str = "release", who: str = "cleo") -> tuple[Blocker, ...]:
    with reading(site.engine) as session:
        return readiness(session, number, action, site.clock(), site.today(), actor(site, who))


@AT_QA
@pytest.mark.requirement("URS-185")
def test_the_act_the_page_and_the_interface_give_the_very_same_reasons(site: Site) -> None:
    bank = str(raw(site, "SELECT lot_number FROM lot WHERE kind = 'master_cell_bank'")[0][0])
    opened(site, LOT)
    act(site, "rhea", hold_lot, HoldLot(lot_number=bank, reason="doubt", credentials=credentials("rhea")))
    with pytest.raises(Refused) as refusal:
        build.released(site, LOT)
    given = [(reason.code, reason.text) for reason in refusal.value.reasons]
    assert [(one.code, one.text) for one in told(site, LOT)] == given
    with reading(site.engine) as session:
        file = lot_file(session, LOT, site.clock(), site.today(), actor(site, "cleo"))
    release = next(one for one in file.actions if one.action == "release")
    assert [(one.code, one.text) for one in release.blockers] == given
    assert {code for code, _ in given} == {"ancestor-not-released", "deviation-open", "signature-void"}


@AT_QA
@pytest.mark.requirement("URS-185")
def test_each_blocker_leads_to_its_record_and_to_who_can_clear_it(site: Site) -> None:
    number = opened(site, LOT)
    found = {one.code: one for one in told(site, LOT)}
    deviation, signature = found["deviation-open"], found["signature-void"]
    assert deviation.record is not None
    assert (deviation.record.kind, deviation.record.link) == ("deviation", f"/deviations/{number}")
    assert deviation.text_de == f"Abweichung {number} der Charge {LOT} ist offen."
    assert deviation.clear_by == ("qa",)
    assert signature.clear_by == ("reviewer",)
    assert "Rhea Reviews" in signature.text_de
    assert "geprüft" in signature.text_de


@MADE
@pytest.mark.requirement("URS-185")
def test_a_lot_is_not_usable_by_default(site: Site) -> None:
    """A lot usable by default: nothing was tested, signed or decided, and so everything stands in the way."""
    assert len(told(site, LOT)) >= 4
    assert all(one.text_de and one.text_de != one.text for one in told(site, LOT))


def test_a_reason_that_the_catalogue_does_not_know_is_told_all_the_same() -> None:
    found = blocker(Reason("moon-not-full", "the moon is not full"))
    assert (found.text_de, found.clear_by, found.record) == ("the moon is not full", (), None)


# --- no reason without its German sentence ------------------------------------------------------------------------


def codes_of(function: Callable[..., Any], seen: set[Any]) -> Iterator[str]:
    """Every code that a guard can give, followed through the functions and methods of the domain that it calls."""
    function = inspect.unwrap(function)
    if function in seen:
        return
    seen.add(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    raised = {inner for node in ast.walk(tree) if isinstance(node, ast.Raise) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or node in raised:  # what is raised is no reason of a guard
            continue
        name = ast.unparse(node.func)
        if name == "Reason":
            yield from _literal(node.args[0])
        for called in _called(node.func, function.__globals__):
            yield from codes_of(called, seen)


def _literal(code: ast.expr) -> Iterator[str]:
    if isinstance(code, ast.Constant):
        yield str(code.value)
    elif isinstance(code, ast.IfExp):
        yield from _literal(code.body)
        yield from _literal(code.orelse)
    elif isinstance(code, ast.JoinedStr):
        verdicts = "|".join(Verdict)  # the one part of a code that is computed
        pattern = "".join(str(one.value) if isinstance(one, ast.Constant) else f"({verdicts})" for one in code.values)
        yield from (one for one in problem_types() if re.fullmatch(pattern, one))


def _called(func: ast.expr, known: dict[str, Any]) -> Iterator[Callable[..., Any]]:
    """What a call may mean: a function of the module, of a module named there, or a method of a class that is known there."""
    candidates: list[Any] = []
    if isinstance(func, ast.Name):
        candidates = [known.get(func.id)]
    elif isinstance(func, ast.Attribute):
        owner = known.get(func.value.id) if isinstance(func.value, ast.Name) else None
        classes = [one for one in known.values() if inspect.isclass(one)]
        candidates = [getattr(one, func.attr, None) for one in (owner, *classes) if one is not None]
    for one in candidates:
        writes = inspect.isfunction(one) and "work" in inspect.signature(one).parameters
        if inspect.isfunction(one) and one.__module__.startswith("domain.") and not writes:
            yield one


@pytest.mark.requirement("URS-185")
def test_every_reason_that_a_guard_can_give_has_a_german_sentence_and_somebody_to_clear_it() -> None:
    given = {"permission-missing", "wrong-state", "not-by-same-person", "unknown-guard", "no-such-rule"}
    for rule in RULES.values():
        for name in rule.guards:
            given |= set(codes_of(GUARDS[name], set()))
    assert {"result-fail", "too-early", "marker-untimely", "deviation-open", "certificate-incomplete"} <= given
    assert sorted(given - set(catalogue())) == [], "add to domain/disposition/blockers.toml"
    assert sorted(set(catalogue()) - given) == [], "nothing gives these any more"
    assert all(one.de.endswith((".", "!")) for one in catalogue().values())


@pytest.mark.requirement("URS-205")
def test_every_reason_of_the_catalogue_can_be_cleared_by_somebody() -> None:
    assert [code for code, one in catalogue().items() if not one.who or not one.de] == []


@pytest.mark.requirement("URS-205")
@pytest.mark.parametrize(
    "stage",
    [pytest.param(one, marks=pytest.mark.stage(one)) for one in ("drug_product", "three_signatures", "governed")],
)
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_no_blocker_is_without_record_role_and_both_languages(site: Site, stage: str) -> None:
    """Of every act on every lot, whoever asks: also where recipes, equipment, labels and the laboratory's own control stand in the way."""
    opened(site, str(raw(site, "SELECT lot_number FROM lot ORDER BY id DESC")[0][0]))
    seen = set()
    for (number,) in raw(site, "SELECT lot_number FROM lot ORDER BY id"):
        for action in (*RULES, "fly"):
            for one in told(site, str(number), action, "dov"):
                seen.add(one.code)
                assert one.record is not None, one
                assert one.record.number, one
                assert one.clear_by, one
                assert one.text, one
                assert one.text_de, one
                assert one.text_de != one.text, one
    assert len(seen) > 10, stage


def test_every_condition_and_part_of_the_table_is_registered_and_every_permission_is_held_by_a_role() -> None:
    assert {name for rule in RULES.values() for name in rule.guards} <= set(GUARDS)
    assert {name for rule in RULES.values() for name in rule.not_by} <= set(DOERS)
    held = frozenset().union(*ROLES.values())
    assert {rule.permission for rule in RULES.values()} <= held
