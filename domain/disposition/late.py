"""Which results of a lot may be outstanding: those of tests that the product lets come late, and of nothing else (unknown means no)."""

from collections.abc import Iterator
from datetime import date, timedelta

from domain.errors import Reason
from domain.laboratory.queries import LotResults, release_results
from domain.laboratory.verdict import Verdict
from domain.lots.awaiting import late_tests, may_come_late, still_awaited
from domain.lots.lifecycle import Case, guard
from domain.lots.models import Product


def judged(case: Case) -> tuple[LotResults, ...]:
    """The results of the lot by each of its release specifications, looked up once for all guards that ask."""
    if "judged" not in case.known:
        case.known["judged"] = release_results(case.session, case.lot.key)
    found: tuple[LotResults, ...] = case.known["judged"]
    return found


def outstanding(case: Case) -> frozenset[str]:
    """The tests whose results the act that is looked at does not wait for; none for an act that waits for all.

    After a conditional release those that it awaits, before it those that may come late and are not final. A result that is there and does not pass
    is never outstanding: it stands against the lot.
    """
    if not case.awaits:
        return frozenset()
    if "outstanding" not in case.known:
        case.known["outstanding"] = _outstanding(case)
    found: frozenset[str] = case.known["outstanding"]
    return found


def _outstanding(case: Case) -> frozenset[str]:
    awaited = still_awaited(case.session, case.lot.key)
    allowed = frozenset(awaited.tests if awaited else may_come_late(case.session, case.lot))
    lines = [line for results in judged(case) for line in results.lines if line.test.code in allowed]
    bad = {line.test.code for line in lines if line.judgement.verdict not in (Verdict.PASS, Verdict.MISSING)}
    return frozenset(line.test.code for line in lines if not line.final) - bad


@guard("late-allowed")
def _late_allowed(case: Case) -> Iterator[Reason]:
    """A conditional release is off unless the product allows it, and is none where nothing is outstanding."""
    lot = case.lot
    product = case.session.get(Product, lot.product_id) if lot.product_id else None
    if not late_tests(product):
        text = f"the product of lot {lot.lot_number} lets no result come late: it is released with all of them, or not"
        yield Reason("late-not-allowed", text, about=("lot", lot.lot_number))
    elif not outstanding(case):
        text = f"no result of lot {lot.lot_number} is outstanding that may come late: there is no condition to release under"
        yield Reason("nothing-awaited", text, about=("lot", lot.lot_number))


def why_not_due(case: Case, tests: tuple[str, ...], due_on: date) -> Iterator[Reason]:
    """What a conditional release names must be exactly what is outstanding, and come when the product says at the latest."""
    expected = outstanding(case)
    if set(tests) != expected:
        told = ", ".join(sorted(expected)) or "nothing"
        yield Reason("awaited-differs", f"outstanding is {told}: a release names exactly that as awaited", "awaited")
    product = case.session.get(Product, case.lot.product_id) if case.lot.product_id else None
    days = (product.late_days if product else None) or 0
    latest = case.today + timedelta(days=days)
    if case.lot.expires_on is not None:
        latest = min(latest, case.lot.expires_on)
    if not case.today <= due_on <= latest:
        yield Reason(
            "due-date-not-allowed",
            f"the results are awaited until {latest} at the latest, and not in the past",
            "due_on",
        )


REGISTERED = True
