"""Comparing lots of this site, by number as in every look-up, with each other and with certificates that somebody brings along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlmodel import Session

from domain.certificates.comparison import MOST, compare
from domain.certificates.comparison.shapes import Comparison
from domain.certificates.content import CertificateContent
from domain.certificates.look_up import PublicLot, lot_of_certificate, public_lot
from domain.errors import Invalid, NotFound, Reason


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison, and how each lot of this site stands today, in the order of the columns; None for what a file of somebody else says."""

    standings: tuple[PublicLot | None, ...]
    comparison: Comparison


def compare_lots(
    asked: Session | sa.Engine,
    lots: Sequence[tuple[str, str]],
    files: Sequence[CertificateContent],
    today: date,
    vials_per_dose: int | None = None,
) -> Compared:
    """Lots (number as typed, check code) first, then files, in the order given. A file that was issued here, byte for byte, is known as such.

    Raises NotFound as the look-up does, in its words, for the first lot that has no public certificate; Invalid as `compare` does.
    """
    if len(lots) + len(files) > MOST:
        raise Invalid(Reason("too-many-to-compare", f"a comparison takes at most {MOST} lots", "lots"))
    found = [_looked_up(asked, place, typed, code, today) for place, (typed, code) in enumerate(lots)]
    known = [_issued_here(asked, content, today) for content in files]
    own = [(CertificateContent.model_validate_json(one.content), True) for one in found]
    given = [(content, lot is not None) for content, lot in zip(files, known, strict=True)]
    return Compared((*found, *known), compare([*own, *given], today, vials_per_dose))


def _issued_here(asked: Session | sa.Engine, content: CertificateContent, today: date) -> PublicLot | None:
    """The lot of a content that has the digest of one that was issued here; who has it, has it, and needs no check code."""
    try:
        lot = lot_of_certificate(asked, content.lot.number, today)
    except NotFound:
        return None
    return lot if content.sha256() in {one.content_sha256 for one in lot.revisions} else None


def _looked_up(asked: Session | sa.Engine, place: int, typed: str, code: str, today: date) -> PublicLot:
    try:
        return public_lot(asked, typed, today, code)
    except NotFound as unknown:
        reasons = (Reason(one.code, one.text, f"lots.{place}") for one in unknown.reasons)
        raise NotFound(*reasons) from None
