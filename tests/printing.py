"""How the laboratories of the tests print and sign their certificates: as the real ones do, with keys of their own."""

from functools import cache

from reports.look import Look
from reports.press import Press
from tests.signing.keys import signer


@cache
def press() -> Press:
    """The press of the tests."""
    return Press(signer(), Look())
