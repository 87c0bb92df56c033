"""The signatures that a release needs: by whom, whether each covers the dossier as it is now, and that no two are one person's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from domain.disposition.dossier import dossier
from domain.disposition.late import judged
from domain.disposition.models import ManufactureConfirmation
from domain.errors import Reason
from domain.laboratory.queries import release_results
from domain.lots.awaiting import Awaited, awaited_of, conditional_release
from domain.lots.lifecycle import Case, doers, guard
from domain.lots.models import Lot, LotMove, Product
from domain.signatures import Signature, SignatureView, digest

#: What each signature on the way to a release says, in the order in which they are usually given.
SAYS = {
    "confirm": "manufactured according to instruction",
    "submit": "tested, of the required quality",
    "release": "certified for release",
    "release_conditionally": "certified for release under a condition",
}


@dataclass(frozen=True, slots=True)
class Given:
    """A signature that was given for a release, with what was decided by it, and why."""

    action: str
    reason: str
    signature: Signature
    condition: Mapping[str, object] = field(default_factory=dict)

    def covers(self, known: dict[str, object]) -> bool:
        """Whether it was put to exactly this dossier."""
        signed = {**known, "action": self.action, "reason": self.reason, **self.condition}
        return digest(signed) == self.signature.record_sha256


def signed_on(session: Session, lot: Lot) -> list[Given]:
    """Every signature given for the release of a lot, oldest first; what was voided stays among them."""
    moves = (
        select(LotMove.action, LotMove.reason, Signature)
        .join(Signature, col(LotMove.signature_id) == Signature.id)
        .where(LotMove.lot_id == lot.id, col(LotMove.action).in_(("submit", "release", "release_conditionally")))
    )
    confirmed = (
        select(ManufactureConfirmation.reason, Signature)
        .join(Signature, col(ManufactureConfirmation.signature_id) == Signature.id)
        .where(ManufactureConfirmation.lot_id == lot.id)
    )
    conditional = conditional_release(session, lot.key)
    said = condition_content(awaited_of(conditional[0])) if conditional else {}
    found = [Given(*row, said if row[0] == "release_conditionally" else {}) for row in session.exec(moves)]
    found += [Given("confirm", *row) for row in session.exec(confirmed)]
    return sorted(found, key=lambda one: one.signature.key)


def condition_content(awaited: Awaited) -> dict[str, object]:
    """What a signature under a conditional release covers beside the dossier."""
    return {"awaited": list(awaited.tests), "due_on": awaited.due_on.isoformat()}


def needed_for(session: Session, lot: Lot) -> tuple[str, ...]:
    """The signatures that must be there before QA's."""
    product = session.get(Product, lot.product_id) if lot.product_id else None
    return ("confirm", "submit") if product is not None and product.release_signatures == 3 else ("submit",)


def signatures_shown(session: Session, lot: Lot, views: list[SignatureView]) -> list[SignatureView]:
    """The lot's signatures, those for its release marked where the dossier has changed since they were given."""
    given = {one.signature.record_sha256: one for one in signed_on(session, lot)}
    if not given:
        return views
    known = dossier(session, lot, release_results(session, lot.key))
    return [
        view.model_copy(update={"current": given[view.record_sha256].covers(known)})
        if view.record_sha256 in given
        else view
        for view in views
    ]


def _known(case: Case) -> dict[str, object]:
    """The dossier as it is, looked up once for all guards that ask."""
    if "dossier" not in case.known:
        case.known["dossier"] = dossier(case.session, case.lot, judged(case))
    found: dict[str, object] = case.known["dossier"]
    return found


def _current(case: Case, action: str) -> tuple[list[Given], Given | None]:
    """What was signed for that action, and the one that covers the dossier as it is."""
    given = [one for one in signed_on(case.session, case.lot) if one.action == action]
    return given, next((one for one in reversed(given) if one.covers(_known(case))), None)


@guard("signatures-complete")
def _signatures_complete(case: Case) -> Iterator[Reason]:
    """Each is there, and was put to the dossier as it is now."""
    about = ("lot", case.lot.lot_number)
    for action in needed_for(case.session, case.lot):
        given, current = _current(case, action)
        told = {"action": action, "says": SAYS[action]}
        if not given:
            yield Reason("signature-missing", f"nobody has signed yet: {SAYS[action]}", about=about, given=told)
        elif current is None:
            last = given[-1].signature
            text = (
                f"what {last.name} signed on {last.signed_at:%Y-%m-%d} ({SAYS[action]}) has changed since:"
                " that signature no longer counts, and is to be given again"
            )
            told |= {"name": last.name, "day": f"{last.signed_at:%Y-%m-%d}"}
            yield Reason("signature-void", text, about=about, given=told)


def _not_twice(case: Case, action: str) -> Iterator[Reason]:
    _, current = _current(case, action)
    if current is not None:
        text = f"{current.signature.name} has signed this already, and nothing has changed since"
        yield Reason("signed-already", text, about=("lot", case.lot.lot_number))


@guard("not-submitted")
def _not_submitted(case: Case) -> Iterator[Reason]:
    yield from _not_twice(case, "submit")


@guard("not-confirmed")
def _not_confirmed(case: Case) -> Iterator[Reason]:
    yield from _not_twice(case, "confirm")


@guard("confirmation-asked")
def _confirmation_asked(case: Case) -> Iterator[Reason]:
    if "confirm" not in needed_for(case.session, case.lot):
        text = f"lot {case.lot.lot_number} needs no signature of the head of production"
        yield Reason("signature-not-asked", text, about=("lot", case.lot.lot_number))


def _signers(case: Case, action: str) -> set[int]:
    return {one.signature.user_id for one in signed_on(case.session, case.lot) if one.action == action}


@doers("confirmed")
def _confirmers(case: Case) -> set[int]:
    """Who signed, at any time, that it was manufactured according to instruction."""
    return _signers(case, "confirm")


@doers("submitted")
def _submitters(case: Case) -> set[int]:
    """Who signed, at any time, that it was tested and of the required quality."""
    return _signers(case, "submit")
