"""What each test of the catalogue can tell, in plain words and both languages: the table of help_on_tests.toml."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from domain.certificates.content import Words


def _read() -> dict[str, Words]:
    text = Path(__file__).with_name("help_on_tests.toml").read_text(encoding="utf-8")
    return {code: Words.model_validate(words) for code, words in tomllib.loads(text).items()}


HELP: Mapping[str, Words] = MappingProxyType(_read())
"""By the code of the test."""
