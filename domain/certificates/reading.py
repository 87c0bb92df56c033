"""A published certificate (`coa.json`) read back, strictly: whoever made the file, what is not exactly of the schema is refused, with reasons.

What a file says is what a file says: nothing here vouches for it.
"""

from collections.abc import Iterator
from typing import Any

import rfc8785
from pydantic import ValidationError
from pydantic_core import from_json

from domain.certificates.content import CertificateContent, Words
from domain.errors import Invalid, Reason

#: A certificate of 120 tests and several distributions of 1,000 bins has about 200 kB.
MOST_BYTES = 1_000_000
MOST_REASONS = 20
MOST_CHARACTERS = 4000
#: Numbers of a lot and of a certificate stand in many places of a page.
MOST_OF_A_NUMBER = 60

#: Why a place of a file is not of the schema, in our words; the page tells them in the reader's language.
_MISSING = Words(en="is missing", de="fehlt")
_UNKNOWN = Words(en="is not known to the schema", de="kennt das Schema nicht")
_KIND = Words(en="is of another kind than the schema asks for", de="ist von anderer Art, als das Schema verlangt")
_VALUE = Words(en="is none of the values allowed", de="ist keiner der erlaubten Werte")
_LENGTH = Words(en="is too short or too long", de="ist zu kurz oder zu lang")
_FORM = Words(en="is not of the form that the schema asks for", de="hat nicht die Form, die das Schema verlangt")
_EMPTY = Words(en="an empty text says nothing", de="ein leerer Text sagt nichts")
_LONG = Words(
    en=f"a text has at most {MOST_CHARACTERS} characters", de=f"ein Text hat höchstens {MOST_CHARACTERS} Zeichen"
)
_NUMBER = Words(en=f"at most {MOST_OF_A_NUMBER} characters", de=f"höchstens {MOST_OF_A_NUMBER} Zeichen")
_LARGE = Words(en="numbers that not every program reads alike", de="Zahlen, die nicht jedes Programm gleich liest")
_NAMED = Words(en="a value names its kind", de="ein Wert nennt seine Art")
_TEXT = Words(en="figures are text, exactly as judged", de="Zahlen sind Text, genau wie beurteilt")
_NO_JSON = Words(en="this is no JSON", de="das ist kein JSON")
_SIZE = Words(
    en=f"a certificate has at most {MOST_BYTES // 1000} kB as JSON",
    de=f"ein Zertifikat hat als JSON höchstens {MOST_BYTES // 1000} kB",
)
_BY_TYPE = {
    "missing": _MISSING,
    "extra_forbidden": _UNKNOWN,
    "literal_error": _VALUE,
    "enum": _VALUE,
    "union_tag_invalid": _VALUE,
    "union_tag_not_found": _NAMED,
    "string_too_short": _LENGTH,
    "string_too_long": _LENGTH,
    "too_short": _LENGTH,
    "too_long": _LENGTH,
}
WHY = {
    one.en: one
    for one in (
        *_BY_TYPE.values(), _KIND, _FORM, _EMPTY, _LONG, _NUMBER, _LARGE, _NAMED, _TEXT, _NO_JSON, _SIZE,
    )
}  # fmt: skip

#: Text that may be left empty on a certificate; every other text says something.
MAY_BE_EMPTY = frozenset({"tagline", "email", "function", "settings"})


def read_certificate(data: bytes, field: str = "file") -> CertificateContent:
    """The content of a certificate that was issued.

    Raises Invalid: `certificate-not-readable` when it is too large or no JSON, `certificate-not-valid` for each place that is not of the
    schema (at most twenty are told), `certificate-is-a-draft` for a preview.
    """
    if not data:
        raise empty(field)
    if len(data) > MOST_BYTES:
        raise _unreadable(_SIZE.en, field)
    try:
        plain = from_json(data, allow_inf_nan=False)
    except ValueError:
        raise _unreadable(_NO_JSON.en, field) from None
    try:
        content = CertificateContent.model_validate_json(data, strict=True)
    except ValidationError as wrong:
        raise Invalid(*_reasons(wrong, field)) from None
    odd = [*_odd_texts(plain, ""), *_untyped(plain, content), *_odd_numbers(content)]
    if odd:
        raise Invalid(*(Reason("certificate-not-valid", f"{where}: {why}", field) for where, why in odd[:MOST_REASONS]))
    if content.draft:
        raise Invalid(
            Reason("certificate-is-a-draft", "this is the preview of a certificate: nothing was issued", field)
        )
    return content


def empty(field: str = "file") -> Invalid:
    """Of a file without bytes nothing is said but this."""
    return Invalid(Reason("file-empty", "choose a file: nothing arrived, or it has no bytes", field))


def _unreadable(text: str, field: str) -> Invalid:
    return Invalid(Reason("certificate-not-readable", text, field))


def _reasons(wrong: ValidationError, field: str) -> Iterator[Reason]:
    errors = wrong.errors(include_url=False, include_input=False, include_context=False)
    for one in errors[:MOST_REASONS]:
        where = ".".join(str(part)[:60] for part in one["loc"]) or "the certificate"
        why = _BY_TYPE.get(one["type"], _KIND if one["type"].endswith("_type") else _FORM)
        yield Reason("certificate-not-valid", f"{where}: {why.en}", field)


def _odd_texts(node: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every text that says nothing, or more than anybody reads, by its place."""
    if isinstance(node, str) and not node.strip() and not MAY_BE_EMPTY & set(where.split(".")):
        yield where, _EMPTY.en
    if isinstance(node, str) and len(node) > MOST_CHARACTERS:
        yield where, _LONG.en
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from _odd_texts(child, f"{where}.{name}" if where else str(name))


def _odd_numbers(content: CertificateContent) -> Iterator[tuple[str, str]]:
    """Numbers of lot and certificate are short, and whole numbers are such that every program reads them alike (RFC 8785)."""
    for where, number in (("number", content.number), ("lot.number", content.lot.number)):
        if len(number) > MOST_OF_A_NUMBER:
            yield where, _NUMBER.en
    try:
        content.canonical()
    except rfc8785.CanonicalizationError:
        yield "the certificate", _LARGE.en


def _untyped(plain: Any, content: CertificateContent) -> Iterator[tuple[str, str]]:
    """A value names its kind, and its figures are text: as JSON numbers 7.40 and 7.4 are one."""
    for place, (given, line) in enumerate(zip(plain["tests"], content.tests, strict=True)):
        if line.value is None:
            continue
        if "kind" not in given["value"]:
            yield f"tests.{place}.value", _NAMED.en
        if not all(part is None or isinstance(part, str) for part in given["value"].values()):
            yield f"tests.{place}.value", _TEXT.en
