"""Short ways through the laboratory's control: methods with checks, runs, inoculations, the phases of an investigation."""

from datetime import datetime
from typing import Any

from sqlmodel import select

from domain.errors import DomainError
from domain.laboratory.defining import DefineMethod, define_method
from domain.laboratory.methods import ApproveMethod, Check, CheckKind, approve_method
from domain.laboratory.oos import (
    CHECKLIST,
    ChecklistAnswer,
    ConcludeOos,
    InvestigateLaboratory,
    ReviewManufacture,
    conclude_oos,
    investigate_laboratory,
    review_manufacture,
)
from domain.laboratory.oos_models import Cause, Oos, Outcome
from domain.laboratory.oos_retests import (
    ApproveRetest,
    EnterRetest,
    PlanRetest,
    approve_retest,
    enter_retest,
    plan_retest,
)
from domain.laboratory.results import EnterResult, enter_result
from domain.laboratory.runs import CheckEntry, ConcludeRun, StartRun, conclude_run, start_run
from domain.laboratory.verdict import CriterionKind
from domain.store import reading
from domain.work import Site
from tests.cast import act, credentials

WHY = "looked at in every detail"
RECOVERY = Check(
    name="spike recovery", check=CheckKind.CONTROL, kind=CriterionKind.BETWEEN, lower="50", upper="200", unit="%"
)


def codes(refusal: Any) -> set[str]:
    """The codes of a refusal."""
    assert isinstance(refusal.value, DomainError)
    return {reason.code for reason in refusal.value.reasons}


def method(site: Site, test: str, **more: Any) -> str:
    """The next revision of SOP-<test>; returns its label."""
    said = {"code": f"SOP-{test}", "test_code": test, "name": test, "principle": "as validated"}
    return act(site, "rhea", define_method, DefineMethod.model_validate(said | more)).label


def approved(site: Site, code: str, revision: int, who: str = "cleo") -> None:
    """QA approves a method."""
    act(site, who, approve_method, ApproveMethod(code=code, revision=revision, credentials=credentials(who)))


def run(site: Site, test: str, who: str = "ben") -> str:
    """A run that has begun; returns its number."""
    command = StartRun(method_code=f"SOP-{test}", instrument="Plate reader 1")
    return act(site, who, start_run, command).number


def concluded(site: Site, number: str, *, who: str = "ben", because: str = "", **found: str) -> bool:
    """A run with what its checks gave (`spike_recovery="98"`); returns whether it is valid."""
    checks = tuple(CheckEntry(name=name.replace("_", " "), value=value) for name, value in found.items())
    command = ConcludeRun(run_number=number, checks=checks, invalid_because=because)
    return act(site, who, conclude_run, command).valid


def entered(site: Site, sample: str, test: str, *replicates: str, who: str = "ben", **more: Any) -> int:
    """One result with all that can be said of it; returns its id."""
    from domain.laboratory.catalogue import TESTS

    now = site.clock()
    said: dict[str, Any] = {
        "sample_number": sample,
        "method_code": f"SOP-{test}",
        "replicates": replicates,
        "unit": TESTS[test].unit,
        "started_at": now,
        "finished_at": now,
    }
    return act(site, who, enter_result, EnterResult(**said | more)).key


def investigations(site: Site) -> list[Oos]:
    """Every investigation there is."""
    with reading(site.engine) as session:
        return list(session.exec(select(Oos).order_by(Oos.id)))  # type: ignore[arg-type]


def phase_one(site: Site, number: str, cause: Cause = Cause.NONE, who: str = "rhea") -> None:
    """The laboratory's phase, with an odd item where there is a cause."""
    odd = cause is not Cause.NONE
    answers = tuple(
        ChecklistAnswer(
            item=item, as_it_should_be=not (odd and item == "calculation"), remark="wrong cell" if odd else ""
        )
        for item in CHECKLIST
    )
    said = {"oos_number": number, "answers": answers, "cause": cause, "text": WHY, "credentials": credentials(who)}
    act(site, who, investigate_laboratory, InvestigateLaboratory(**said))


def produced(site: Site, number: str) -> None:
    """The review by production."""
    said = {"oos_number": number, "cause_found": False, "text": WHY, "credentials": credentials("ann")}
    act(site, "ann", review_manufacture, ReviewManufacture(**said))


def planned(site: Site, number: str, count: int = 2, *, approve: bool = True, **more: Any) -> None:
    """Retests by Bea, asked for by Rhea, approved by Cleo."""
    said: dict[str, Any] = {"oos_number": number, "count": count, "analysts": ("bea",), "reason": WHY}
    act(site, "rhea", plan_retest, PlanRetest(**said | more))
    if approve:
        act(site, "cleo", approve_retest, ApproveRetest(oos_number=number, credentials=credentials("cleo")))


def retested(
    site: Site, number: str, *replicates: str, who: str = "bea", unit: str | None = "[pH]", at: datetime | None = None
) -> int:
    """One planned retest; returns the id of its result."""
    now = at or site.clock()
    said = {"oos_number": number, "replicates": replicates, "unit": unit, "started_at": now, "finished_at": now}
    return act(site, who, enter_retest, EnterRetest(**said)).key


def closed(site: Site, number: str, outcome: Outcome, who: str = "cleo") -> None:
    """QA's conclusion."""
    said = {"oos_number": number, "outcome": outcome, "text": WHY, "credentials": credentials(who)}
    act(site, who, conclude_oos, ConcludeOos(**said))
