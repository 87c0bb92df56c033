"""The words of the public pages in both languages: the table of public_words.toml, and how a state looks."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from api.checking import Outcome
from domain.certificates.look_up import PublicLot
from domain.lots.models import LotState

Language = Literal["en", "de"]


class Standing(NamedTuple):
    """What a state means for somebody with a vial in the hand: the state, what to do, and how it looks."""

    state: str
    order: str
    tone: str
    icon: str


_TABLES: Mapping[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_BOTH: tuple[Language, ...] = ("en", "de")

WORDS: dict[Language, dict[str, Any]] = {language: _TABLES[language]["say"] for language in _BOTH}
LOG: dict[Language, dict[str, str]] = {language: _TABLES[language]["log"] for language in _BOTH}
VERIFY: dict[Language, dict[str, str]] = {language: _TABLES[language]["verify"] for language in _BOTH}
FOLLOW: dict[Language, dict[str, str]] = {language: _TABLES[language]["follow"] for language in _BOTH}

#: Title and first sentence of a refusal by its status; 0 is any other.
REFUSALS: dict[Language, dict[int, tuple[str, str]]] = {
    language: {int(status): (title, lead) for status, (title, lead) in _TABLES[language]["refusals"].items()}
    for language in _BOTH
}

_LOOKS = {
    "released": ("good", "check"),
    "on_hold": ("warn", "pause"),
    "recalled": ("bad", "cross"),
    "expired": ("warn", "clock"),
    "withdrawn": ("bad", "cross"),
    "conditional": ("warn", "clock"),
    "overdue": ("bad", "cross"),
    "otherwise": ("warn", "pause"),
}
_OUTCOMES = {
    Outcome.GENUINE_CURRENT: ("good", "check"),
    Outcome.GENUINE_SUPERSEDED: ("warn", "clock"),
    Outcome.GENUINE_WITHDRAWN: ("bad", "cross"),
    Outcome.GENUINE_RECALLED: ("bad", "cross"),
    Outcome.GENUINE_EXPIRED: ("warn", "clock"),
    Outcome.GENUINE_ON_HOLD: ("warn", "pause"),
    Outcome.GENUINE_OVERDUE: ("bad", "cross"),
    Outcome.ALTERED: ("bad", "cross"),
    Outcome.NOT_OURS: ("bad", "question"),
}


def standing_of(found: PublicLot, language: Language) -> Standing:
    """What is said of a lot first: a released one without a certificate that counts is told as such."""
    if found.withdrawn and found.state is LotState.RELEASED:
        return _standing("withdrawn", language)
    if found.awaited is not None and found.state is LotState.RELEASED:
        return _standing("overdue" if found.overdue else "conditional", language)
    return state_words(found.state, language)


def state_words(state: LotState, language: Language) -> Standing:
    """What a state means. Any other state of a lot that once had a certificate: not released now."""
    return _standing(state.value if state.value in _TABLES[language]["standing"] else "otherwise", language)


def _standing(name: str, language: Language) -> Standing:
    state, order = _TABLES[language]["standing"][name]
    return Standing(state, order, *_LOOKS[name])


def outcome_words(outcome: Outcome, language: Language) -> Standing:
    """What is said of a file, and how it looks."""
    title, told = _TABLES[language]["outcomes"][outcome.value]
    return Standing(title, told, *_OUTCOMES[outcome])


def language_of(asked: str | None, accepted: str) -> Language:
    """The language asked for, else the better liked of the two that the browser names, else English."""
    if asked in ("en", "de"):
        return "de" if asked == "de" else "en"
    liked: dict[str, float] = {}
    for part in accepted.lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            liked.setdefault(tag[:2], float(weight or 1))
        except ValueError:
            continue
    return "de" if liked.get("de", 0) > liked.get("en", 0) else "en"
