"""Time-stamps of an authority (RFC 3161): asked within a time limit, and believed only after the answer was checked."""

import asyncio
import copy
from collections.abc import Sequence
from datetime import datetime, timedelta

import httpx
from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from domain.errors import Reason, Unavailable

#: All that asking once may take, in seconds; and the most an answer may hold.
LIMIT, MOST_BYTES = 10.0, 100_000
#: How far the authority's clock and ours may be apart: further, and one of the two is wrong.
APART = timedelta(minutes=10)

AFTERWARDS = "; nothing was issued, and it can be tried again"


def _unavailable(text: str) -> Unavailable:
    return Unavailable(Reason("timestamp-unavailable", text + AFTERWARDS))


def _not_believed(text: str) -> Unavailable:
    return Unavailable(Reason("timestamp-not-believed", text + AFTERWARDS))


class _Answer(tsp.TimeStampResp):  # type: ignore[misc]  # the library has no types
    """What an authority answers; a refusal comes without a token (RFC 3161, 2.4.2), which asn1crypto does not expect."""

    _fields = [("status", tsp.PKIStatusInfo), ("time_stamp_token", cms.ContentInfo, {"optional": True})]  # noqa: RUF012


class TimeStamps(TimeStamper):
    """An authority at an address. One object for all signatures: pyHanko keeps in it how large an answer is."""

    def __init__(self, url: str, trusted: Sequence[asn1.Certificate], limit: float = LIMIT) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.url, self.trusted, self.limit = url, tuple(trusted), limit
        self.at: datetime | None = None

    def around(self, at: datetime) -> "TimeStamps":
        """The same authority for a signature made at this time."""
        dated = copy.copy(self)
        dated.at = at
        return dated

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Ask once. Raises Unavailable when no answer comes in time, or none that is one."""
        try:
            async with asyncio.timeout(self.limit):
                return _Answer.load(await self._posted(req.dump()), strict=True)
        except TimeoutError:
            raise _unavailable(f"the time-stamp authority did not answer within {self.limit:g} s") from None
        except httpx.HTTPError as error:
            raise _unavailable(f"the time-stamp authority cannot be reached ({type(error).__name__})") from error
        except ValueError as error:
            raise _not_believed("the time-stamp authority sent something that is no time-stamp") from error

    async def _posted(self, request: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        answer = b""
        async with (
            httpx.AsyncClient(timeout=self.limit) as client,
            client.stream("POST", self.url, content=request, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise _unavailable(f"the time-stamp authority answered {response.status_code}")
            async for part in response.aiter_bytes():
                answer += part
                if len(answer) > MOST_BYTES:
                    raise _not_believed("the time-stamp authority sent far more than a time-stamp")
        return answer

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """A token over the digest whose signature, authority, digest and time were checked. Raises Unavailable."""
        try:
            token = await super().async_timestamp(message_digest, md_algorithm)
            status = await self._status(token, message_digest, md_algorithm)
        except OSError as error:
            raise _unavailable(f"the time-stamp authority refused ({error})") from error
        except (ValueError, TypeError, KeyError, AttributeError, SignatureValidationError) as error:
            raise _not_believed("the time-stamp authority's answer is not one to this request") from error
        if not (status.intact and status.valid):
            raise _not_believed("the time-stamp is not one of this signature, or is not validly signed")
        if not status.trusted:
            raise _not_believed("the time-stamp is signed by none of the authorities in EXOLOTL_TRUSTED")
        if self.at is not None and abs(status.timestamp - self.at) > APART:
            raise _not_believed(
                f"the time-stamp says {status.timestamp.isoformat()}, this server's clock {self.at.isoformat()}"
            )
        return token

    async def _status(self, token: cms.ContentInfo, digest: bytes, algorithm: str) -> TimestampSignatureStatus:
        context = ValidationContext(trust_roots=list(self.trusted), allow_fetching=False)
        found = await validate_tst_signed_data(
            token["content"], context, lambda used: digest if used == algorithm else b""
        )
        return TimestampSignatureStatus(**found)
