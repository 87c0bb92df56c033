"""What quality assurance does in the demo: a deviation to its closure, actions, a hold that runs down, the signature of the head of production."""

from datetime import timedelta

from api.demo.lab import Lab, Story, credentials
from api.demo.products import DemoProduct
from domain.deviations.capa import CompleteCapa, RaiseCapa, complete_capa, raise_capa
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
from domain.disposition.cascade import HoldDescendants, LiftCascade, hold_descendants, propose_lift
from domain.disposition.decisions import ConfirmManufacture, confirm_manufacture
from domain.disposition.models import CascadeCause
from domain.disposition.product_changes import (
    DecideProductChange,
    ProposeProductChange,
    decide_product_change,
    propose_product_change,
)


def confirmed(lab: Lab, lot: str) -> None:
    """The head of production: manufactured according to instruction."""
    reason = "batch record complete; manufactured according to instruction"
    command = ConfirmManufacture(lot_number=lot, reason=reason, credentials=credentials("petra"))
    lab.act("petra", confirm_manufacture, command)


def label_roll(lab: Lab, lot: str, day: int) -> Story[str]:
    """A minor deviation from its report to its closure within a morning; returns the number of its action."""
    yield lab.at(day, "08:10")
    report = OpenDeviation(
        code="label-roll-changed",
        text="The roll of carton labels was changed during packaging without a second line clearance",
        severity=Severity.MINOR,
        lot_numbers=(lot,),
        happened_at=lab.now - timedelta(hours=1),
    )
    number = lab.act("tom", report_deviation, report).number
    yield lab.at(day, "09:00")
    judged = ClassifyDeviation(number=number, severity=Severity.MINOR, reason="same template and lot on both rolls")
    lab.act("petra", classify_deviation, judged)
    found = RecordInvestigation(
        number=number,
        text="All labels of both rolls are accounted for; the last label of the first roll is attached to the record.",
        root_cause=RootCause.METHOD,
        root_cause_text="The instruction asks for a line clearance between lots, and not when a roll is changed.",
    )
    lab.act("petra", record_investigation, found)
    action = RaiseCapa(
        deviation_number=number,
        kind=CapaKind.CORRECTIVE,
        text="Ask for a line clearance whenever a roll of labels is changed, and train all who pack",
        owner="petra",
        due_on=lab.now.date() + timedelta(days=4),
        check_due_on=lab.now.date() + timedelta(days=120),
    )
    capa = lab.act("petra", raise_capa, action).number
    yield lab.at(day, "10:30")
    kept = "all labels reconcile; the cartons were inspected again"
    outcome = DecideOutcome(number=number, lot_number=lot, outcome=LotOutcome.USE_AS_IS, justification=kept)
    lab.act("quentin", decide_outcome, outcome)
    closing = CloseDeviation(
        number=number,
        conclusion="No effect on the lot; the instruction is changed.",
        credentials=credentials("quentin"),
    )
    lab.act("quentin", close_deviation, closing)
    return capa


def trained(lab: Lab, capa: str, day: int) -> Story[None]:
    """The action is done; whether it helped is looked at in some months."""
    yield lab.at(day, "14:00")
    evidence = "instruction P-041 version 6 is in force since today; six of six trained"
    lab.act("petra", complete_capa, CompleteCapa(number=capa, evidence=evidence))


def vacuum_lost(lab: Lab, lot: str, bulk: str, day: int) -> Story[None]:
    """An open, major deviation; the bulk it was made of is held with all made of it, and one of two proposes to lift that."""
    yield lab.at(day, "11:10")
    report = OpenDeviation(
        code="vacuum-lost",
        text="The vacuum pump tripped for 14 minutes in primary drying, and the soak after it was cut short",
        severity=Severity.MAJOR,
        lot_numbers=(lot,),
    )
    number = lab.act("ben", report_deviation, report).number
    judged = ClassifyDeviation(number=number, severity=Severity.MAJOR, reason="residual moisture is above its limit")
    lab.act("quentin", classify_deviation, judged)
    yield lab.at(day, "14:20")
    held = HoldDescendants(
        lot_number=bulk,
        cause=CascadeCause.BULK_PROBLEM,
        reason="until it is clear whether the bulk or the drying made the lot too moist",
        credentials=credentials("rhea"),
    )
    hold = lab.act("rhea", hold_descendants, held).number
    yield lab.at(day + 2, "09:40")
    found = RecordInvestigation(
        number=number, text="The bulk's osmolality and trehalose are as in the lots before; it is the drying."
    )
    lab.act("petra", record_investigation, found)
    lift = LiftCascade(number=hold, reason="the bulk is not the cause", credentials=credentials("cleo"))
    lab.act("cleo", propose_lift, lift)


def sterility_may_be_late(lab: Lab, product: DemoProduct) -> Story[None]:
    """A change of the product, proposed by the head of production and signed by QA: its lots may be released before their sterility is final."""
    yield lab.at(20, "09:00")
    said = product.command.model_dump() | {
        "late_tests": ("STER",),
        "late_days": 14,
        "reason": "named patients wait, and a rapid test is not validated yet",
    }
    change = lab.act("petra", propose_product_change, ProposeProductChange(**said))
    yield lab.at(21, "11:00")
    decision = DecideProductChange(code=product.code, revision=change.revision, credentials=credentials("cleo"))
    lab.act("cleo", decide_product_change, decision)
