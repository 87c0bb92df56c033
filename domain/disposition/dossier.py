"""What is known of a lot and its ancestors: what a decision's signature is bound to."""

from sqlmodel import Session, col, select

from domain.laboratory.queries import LotResults
from domain.laboratory.results import result_content
from domain.lots.genealogy import ancestor_ids
from domain.lots.models import Lot, Yield
from domain.manufacturing.control import control_content
from domain.manufacturing.models import Reading, Step


def dossier(session: Session, lot: Lot, results: LotResults) -> dict[str, object]:
    """What is known of a lot and its ancestors, as plain values: what a decision's signature is bound to."""
    everything = [lot.key, *ancestor_ids(session, lot.key)]
    ancestors = session.exec(select(Lot).where(col(Lot.id).in_(everything)).order_by(Lot.lot_number)).all()
    readings = session.exec(
        select(Step.number, Reading)
        .join(Step, col(Reading.step_id) == Step.id)
        .join(Yield, col(Yield.step_id) == Step.id)
        .where(col(Yield.lot_id).in_(everything))
        .order_by(col(Reading.id))
    ).all()
    return {
        "lot": lot.lot_number,
        "lots": [
            {
                "number": one.lot_number,
                "kind": one.kind.value,
                "state": one.state.value,
                "quantity": None if one.quantity is None else format(one.quantity, "f"),
                "expires_on": one.expires_on.isoformat() if one.expires_on else None,
            }
            for one in ancestors
        ],
        "readings": [
            [number, one.id, one.parameter, one.entered_value, one.entered_unit]
            for number, one in {one.id: (number, one) for number, one in readings}.values()
        ],
        "control": control_content(session, lot),
        "specification": results.specification.label if results.specification else None,
        "results": [result_content(finding.result) for finding in results.findings],
        "verdicts": {line.test.code: line.judgement.verdict.value for line in results.lines},
    }


def signed_content(session: Session, lot: Lot, results: LotResults, action: str, reason: str) -> dict[str, object]:
    """What a decision's signature is bound to: the dossier, what is decided, and why."""
    return {**dossier(session, lot, results), "action": action, "reason": reason}
