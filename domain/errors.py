"""The kinds of refusal. The domain raises these; only `api/problems.py` knows HTTP.

Every refusal carries its reasons as a list, so that a person sees at once all that is wrong.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a refusal.

    code: stable, kebab-case name of the reason (`value-outside-hard-bounds`), part of the API.
    text: one English sentence that says what is wrong and what is allowed.
    field: where the wrong value was given (`readings.ph.value`, `line 57`), if anywhere.
    about: kind and number of the record that it points to (`("deviation", "DEV26-0003")`), if to one.
    given: what the sentence in another language is made of, by name.
    """

    code: str
    text: str
    field: str | None = None
    about: tuple[str, str] | None = None
    given: Mapping[str, object] = dataclass_field(default_factory=dict, compare=False)


class DomainError(Exception):
    """Base of all refusals; `reasons` is never empty.

    aftermath: what must be written although the act is undone (a failed sign-in counts towards the lock-out); it is given the
    `Work` of the transaction that records the refusal.
    """

    def __init__(self, *reasons: Reason, aftermath: Callable[[Any], None] | None = None) -> None:
        if not reasons:
            raise ValueError("a refusal without a reason")
        self.reasons = reasons
        self.aftermath = aftermath
        super().__init__("; ".join(reason.text for reason in reasons))


class NotFound(DomainError):
    """What was asked for does not exist (or may not be known to the one who asks)."""


class Invalid(DomainError):
    """A value cannot be what it should be: not a number, wrong unit, outside the hard bounds."""


class Unauthenticated(DomainError):
    """Nobody, or nobody we can be sure of, is asking."""


class Forbidden(DomainError):
    """The actor lacks the permission for the act."""


class Refused(DomainError):
    """A rule of the laboratory stands against the act."""


class Conflict(DomainError):
    """The same thing exists already, or the act was done already."""


class Unavailable(DomainError):
    """Something outside this system that the act needs does not answer; nothing was done, and it can be tried again."""


class Stale(DomainError):
    """Somebody else changed the record meanwhile; look again and decide again."""


def refuse_if_any(reasons: Iterable[Reason]) -> None:
    """Raise `Refused` with every reason, if there is one."""
    if found := tuple(reasons):
        raise Refused(*found)
