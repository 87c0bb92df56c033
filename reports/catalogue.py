"""The fixed words of the documents, a file for each language (`words/en.toml`), and the one or two languages that a document speaks.

Another language is another file with the same keys. The content of a certificate carries English and German words of its own; in a third
language they stay English, and are marked so.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from domain.certificates.content import Words
from domain.errors import Invalid, Reason
from domain.quantities import Language
from reports.wording import for_people

FOLDER = Path(__file__).parent / "words"


class Said(NamedTuple):
    """Words, and the language they are in."""

    text: str
    lang: str


#: The same in the first and the second language of a document; one, where both say the same (figures, names).
Pair = tuple[Said, ...]


def languages() -> tuple[str, ...]:
    """The languages that have a catalogue."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """The words of a language by key (`results.method`). Invalid (`language-unknown`) if there is no file for it."""
    if language not in languages():
        text = f"there is no catalogue of words for {language!r}; there is one for {', '.join(languages())}"
        raise Invalid(Reason("language-unknown", text, "languages"))
    tables = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{table}.{key}": text for table, words in tables.items() for key, text in words.items()}


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks the languages of a document, the first one first."""

    languages: tuple[str, ...]

    def say(self, key: str, **facts: str | int | Pair) -> Pair:
        """The words of the catalogues; `{name}` in them becomes the fact of that name, in the same language if it has one."""
        return _distinct(
            Said(
                catalogue(language)[key].format(**{name: _in(language, fact) for name, fact in facts.items()}), language
            )
            for language in self.languages
        )

    def of(self, words: Words | str) -> Pair:
        """Words of the content, figures and units written for people."""
        spoken: list[Language] = ["de" if language == "de" else "en" for language in self.languages]
        if isinstance(words, str) or words.en == words.de:  # a figure or a name, said once
            text = words if isinstance(words, str) else words.en
            return (_said(Words(en=text, de=text), spoken[0]),)
        return _distinct(_said(words, language) for language in spoken)

    def listed(self, items: Sequence[Pair], joint: str = ", ") -> Pair:
        """Several, one after the other, in each language."""
        return _distinct(
            Said(joint.join(_in(language, item) for item in items), language) for language in self.languages
        )


def _said(words: Words, language: Language) -> Said:
    return Said(for_people(getattr(words, language), language), language)


def _in(language: str, fact: str | int | Pair) -> str:
    if not isinstance(fact, tuple):
        return str(fact)
    return next((said.text for said in fact if said.lang == language), fact[0].text if fact else "")


def _distinct(said: Iterable[Said]) -> Pair:
    found: dict[str, Said] = {}
    for one in said:
        found.setdefault(one.text, one)
    return tuple(found.values())
