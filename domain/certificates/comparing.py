"""Comparing lots of this site, by number as in every look-up, with each other and with certificates that somebody brings along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlmodel import Session

from domain.certificates.comparison import MOST, compare
from domain.certificates.comparison.shapes import Comparison
from domain.certificates.content import CertificateContent
from domain.certificates.look_up import PublicLot, public_lot
from domain.errors import Invalid, NotFound, Reason


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison, and how each lot of this site stands today, in the order of the columns; None for what a file says."""

    standings: tuple[PublicLot | None, ...]
    comparison: Comparison


def compare_lots(
    asked: Session | sa.Engine,
    lots: Sequence[tuple[str, str]],
    files: Sequence[CertificateContent],
    today: date,
    vials_per_dose: int | None = None,
) -> Compared:
    """Lots (number as typed, check code) first, then files, in the order given.

    Raises NotFound as the look-up does, in its words, for the first lot that has no public certificate; Invalid as `compare` does.
    """
    if len(lots) + len(files) > MOST:
        raise Invalid(Reason("too-many-to-compare", f"a comparison takes at most {MOST} lots", "lots"))
    found = [_looked_up(asked, place, typed, code, today) for place, (typed, code) in enumerate(lots)]
    own = [(CertificateContent.model_validate_json(one.content), True) for one in found]
    comparison = compare([*own, *((content, False) for content in files)], today, vials_per_dose)
    return Compared((*found, *(None for _ in files)), comparison)


def _looked_up(asked: Session | sa.Engine, place: int, typed: str, code: str, today: date) -> PublicLot:
    try:
        return public_lot(asked, typed, today, code)
    except NotFound as unknown:
        reasons = (Reason(one.code, one.text, f"lots.{place}") for one in unknown.reasons)
        raise NotFound(*reasons) from None
