"""What a document takes from the act that makes it, and not from the records of the lot."""

from dataclasses import dataclass
from datetime import date, datetime

from domain import audit
from domain.certificates.content import CertificateContent
from domain.certificates.words import RevisionCause
from domain.lots.awaiting import Awaited
from domain.signatures import Signature


@dataclass(frozen=True, slots=True)
class Frame:
    """released: the signature that certifies the lot, written or about to be; issuer, cause: of a revision. All are empty in a draft.

    awaited: what a conditional release still waits for; came_late: the tests that one waited for, now that they are there. expires_on: a later expiry
    that this act gives. before: the revision before, whose product it keeps; empty where the cause is that the product changed.
    """

    number: str
    revision: int
    supersedes: str | None
    issued_at: datetime
    head: audit.Head
    released: Signature | None = None
    issuer: Signature | None = None
    cause: RevisionCause | None = None
    awaited: Awaited | None = None
    came_late: tuple[str, ...] = ()
    expires_on: date | None = None
    before: CertificateContent | None = None

    @property
    def draft(self) -> bool:
        """Whether nothing is issued: a preview."""
        return self.released is None

    def waits_for(self, test_code: str) -> bool:
        """Whether the result of this test is still awaited."""
        return self.awaited is not None and test_code in self.awaited.tests
