"""A deviation in few lines: opened, classified, investigated, decided and closed by the people who may."""

from datetime import timedelta
from typing import Any

from domain.deviations.capa import PlanAction, RaiseCapa, raise_capa
from domain.deviations.models import CapaKind, LotOutcome, RootCause, Severity
from domain.deviations.operations import (
    ClassifyDeviation,
    CloseDeviation,
    DecideOutcome,
    OpenDeviation,
    RecordInvestigation,
    classify_deviation,
    close_deviation,
    decide_outcome,
    record_investigation,
    report_deviation,
)
from domain.work import Site
from tests.cast import act, credentials


def opened(
    site: Site, *lots: str, who: str = "tom", severity: Severity = Severity.MINOR, text: str = "door open"
) -> str:
    """Returns its number."""
    said = OpenDeviation(code="door-open", text=text, severity=severity, lot_numbers=lots)
    return act(site, who, report_deviation, said).number


def classified(site: Site, number: str, severity: Severity = Severity.MAJOR, who: str = "ann") -> None:
    """Ann is head of production."""
    said = ClassifyDeviation(number=number, severity=severity, reason="air of the room came in")
    act(site, who, classify_deviation, said)


def investigated(site: Site, number: str, who: str = "ann", cause: RootCause | None = RootCause.METHOD) -> None:
    """With a root cause."""
    words = "the procedure does not name the door" if cause else ""
    said = RecordInvestigation(number=number, text="looked at the log", root_cause=cause, root_cause_text=words)
    act(site, who, record_investigation, said)


def decided(site: Site, number: str, lot: str, outcome: LotOutcome = LotOutcome.USE_AS_IS, who: str = "quin") -> None:
    """What becomes of a lot."""
    said = DecideOutcome(number=number, lot_number=lot, outcome=outcome, justification="no effect on the product")
    act(site, who, decide_outcome, said)


def closed(site: Site, number: str, who: str = "quin") -> None:
    """QA's signature."""
    said = CloseDeviation(number=number, conclusion="understood and put right", credentials=credentials(who))
    act(site, who, close_deviation, said)


def settled(site: Site, number: str, *lots: str, outcome: LotOutcome = LotOutcome.USE_AS_IS) -> None:
    """From classification to closure."""
    classified(site, number)
    investigated(site, number)
    for lot in lots:
        decided(site, number, lot, outcome)
    closed(site, number)


def plan(site: Site, **differing: Any) -> PlanAction:
    """An action of Tom's, due in a week and checked a month later."""
    said: dict[str, Any] = {
        "kind": CapaKind.CORRECTIVE,
        "text": "name the door in the procedure",
        "owner": "tom",
        "due_on": site.today() + timedelta(days=7),
        "check_due_on": site.today() + timedelta(days=37),
    }
    return PlanAction(**said | differing)


def planned(site: Site, number: str, **differing: Any) -> str:
    """Returns the number of the action."""
    said = RaiseCapa(deviation_number=number, **plan(site, **differing).model_dump())
    return act(site, "ann", raise_capa, said).number
