"""What a file is that somebody was sent: a certificate of this laboratory and current, one that no longer counts, altered, or not ours."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from domain.lots.models import LotState


class Outcome(StrEnum):
    """What is said of a file. Genuine: these very bytes were issued here, and the record of it is sound; then what is true of it now."""

    GENUINE_CURRENT = "genuine_current"
    GENUINE_SUPERSEDED = "genuine_superseded"
    GENUINE_WITHDRAWN = "genuine_withdrawn"
    GENUINE_RECALLED = "genuine_recalled"
    GENUINE_EXPIRED = "genuine_expired"
    GENUINE_ON_HOLD = "genuine_on_hold"
    ALTERED = "altered"
    NOT_OURS = "not_ours"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what was found, as a sentence in both languages.

    code: `digest`, `record`, `signature`, `signer`, `timestamp`, `attachments`, `log`, `newest`, `lot`, in this order.
    """

    code: str
    state: Literal["ok", "failed", "not_possible"]
    en: str
    de: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer for a file. What follows `checks` is known of genuine files only, save for what an altered one claims to be.

    sha256: of the file as received. document: a certificate of analysis or a batch certificate. newest_revision: of that number. state: of the
    lot now.
    """

    outcome: Outcome
    sha256: str
    checked_at: datetime
    checks: tuple[Check, ...]
    document: Literal["analysis", "batch"] | None = None
    certificate_number: str | None = None
    revision: int | None = None
    newest_revision: int | None = None
    lot_number: str | None = None
    state: LotState | None = None

    @property
    def genuine(self) -> bool:
        """Whether these very bytes were issued here."""
        return self.outcome.value.startswith("genuine")

    @property
    def current(self) -> bool:
        """Genuine, the newest revision, not withdrawn, and of a lot that is released today."""
        return self.outcome is Outcome.GENUINE_CURRENT
