"""What stands in the codes on labels and certificates: GTIN, lot and expiry by the GS1 General Specifications. Pure text.

A check digit is checked before anything is encoded: a code with a wrong one is read by every scanner, and names somebody else's product.
"""

import re
from datetime import date
from urllib.parse import quote

from domain.errors import Invalid, Reason

LOT_LENGTH = 20  # AI (10): X..20
#: AI encodable character set 82, without the brackets that set off the identifiers of an element string.
_LOT = re.compile(r"[!\"%&'*+,\-./0-9:;<=>?A-Z_a-z]{1,20}")


def check_digit(digits: str) -> str:
    """The digit that ends a GTIN or SSCC of these digits (mod 10, weights 3 and 1 from the right)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str((10 - total % 10) % 10)


def gtin_is_valid(gtin: str) -> bool:
    """Whether 14 digits end in their GS1 check digit."""
    return re.fullmatch(r"[0-9]{14}", gtin) is not None and check_digit(gtin[:-1]) == gtin[-1]


def require_gtin(gtin: str, field: str = "gtin") -> str:
    """The GTIN-14 itself; Invalid `gtin-check-digit` for anything else."""
    if not gtin_is_valid(gtin):
        text = f"a GTIN has 14 digits and ends in its GS1 check digit; {gtin!r} does not"
        raise Invalid(Reason("gtin-check-digit", text, field))
    return gtin


def require_lot(lot: str) -> str:
    """The lot number itself; Invalid `lot-not-encodable` where AI (10) cannot hold it."""
    if not _LOT.fullmatch(lot):
        text = f"a code holds a lot number of 1 to {LOT_LENGTH} characters of the GS1 set without brackets; {lot!r} is none"
        raise Invalid(Reason("lot-not-encodable", text, "lot_number"))
    return lot


def expiry(on: date) -> str:
    """AI (17): YYMMDD, the day always given (a day of 00 is being withdrawn for healthcare)."""
    return on.strftime("%y%m%d")


def element_string(gtin: str, lot: str, expires_on: date) -> str:
    """`(01)09521234543213(17)281031(10)EV-2026-0417`: the identifier of variable length last, so no separator is needed.

    Raises Invalid as `require_gtin` and `require_lot` do.
    """
    return f"(01){require_gtin(gtin)}(17){expiry(expires_on)}(10){require_lot(lot)}"


def digital_link(base: str, gtin: str, lot: str, expires_on: date) -> str:
    """GS1 Digital Link URI on the server at `base`: `https://coa.example.org/01/09521234543213/10/EV-2026-0417?17=281031`.

    Raises Invalid as `require_gtin` and `require_lot` do.
    """
    return f"{base.rstrip('/')}/01/{require_gtin(gtin)}/10/{quote(require_lot(lot), safe='')}?17={expiry(expires_on)}"
