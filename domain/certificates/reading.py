"""A published certificate (`coa.json`) read back, strictly: whoever made the file, what is not exactly of the schema is refused, with reasons.

What a file says is what a file says: nothing here vouches for it.
"""

from collections.abc import Iterator
from typing import Any

import rfc8785
from pydantic import ValidationError
from pydantic_core import from_json

from domain.certificates.content import CertificateContent
from domain.errors import Invalid, Reason

#: A certificate of 120 tests and several distributions of 1,000 bins has about 200 kB.
MOST_BYTES = 1_000_000
MOST_REASONS = 20
MOST_CHARACTERS = 4000
#: Numbers of a lot and of a certificate stand in many places of a page.
MOST_OF_A_NUMBER = 60

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
        raise _unreadable(
            f"a certificate has at most {MOST_BYTES // 1000} kB as JSON; this has {len(data) // 1000} kB", field
        )
    try:
        plain = from_json(data, allow_inf_nan=False)
    except ValueError as wrong:
        raise _unreadable(f"this is no JSON: {str(wrong)[:120]}", field) from None
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
        yield Reason("certificate-not-valid", f"{where}: {one['msg'][:200]}", field)


def _odd_texts(node: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every text that says nothing, or more than anybody reads, by its place."""
    if isinstance(node, str) and not node.strip() and not MAY_BE_EMPTY & set(where.split(".")):
        yield where, "an empty text says nothing"
    if isinstance(node, str) and len(node) > MOST_CHARACTERS:
        yield where, f"a text has at most {MOST_CHARACTERS} characters"
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from _odd_texts(child, f"{where}.{name}" if where else str(name))


def _odd_numbers(content: CertificateContent) -> Iterator[tuple[str, str]]:
    """Numbers of lot and certificate are short, and whole numbers are such that every program reads them alike (RFC 8785)."""
    for where, number in (("number", content.number), ("lot.number", content.lot.number)):
        if len(number) > MOST_OF_A_NUMBER:
            yield where, f"at most {MOST_OF_A_NUMBER} characters"
    try:
        content.canonical()
    except rfc8785.CanonicalizationError as wrong:
        yield "the certificate", str(wrong)[:200]


def _untyped(plain: Any, content: CertificateContent) -> Iterator[tuple[str, str]]:
    """A value names its kind, and its figures are text: as JSON numbers 7.40 and 7.4 are one."""
    for place, (given, line) in enumerate(zip(plain["tests"], content.tests, strict=True)):
        if line.value is None:
            continue
        if "kind" not in given["value"]:
            yield f"tests.{place}.value", "a value names its kind"
        if not all(part is None or isinstance(part, str) for part in given["value"].values()):
            yield f"tests.{place}.value", "figures are text, exactly as judged"
