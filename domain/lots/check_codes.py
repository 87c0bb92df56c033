"""Check codes: what stands on a label beside a lot number that could be guessed, for products whose look-up asks for it."""

import hmac
import re
import secrets

#: Crockford's base 32: no I, L, O, U, so that nothing is misread and no word is spelled.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 6  # 30 bits; the look-up answers an address a few dozen times a minute

_ALIKE = str.maketrans("OIL", "011")


def new_code() -> str:
    """A code that cannot be guessed from another."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def same_code(typed: str | None, code: str | None) -> bool:
    """Whether the code was typed, as people type it; compared in a time that tells nothing. No code is never the same."""
    said = re.sub(r"[\W_]", "", (typed or "")[:40]).upper().translate(_ALIKE)
    return hmac.compare_digest(said.encode(errors="replace"), (code or "").encode()) and bool(code)
