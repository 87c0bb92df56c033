"""What a document may not say: that a product is approved, safe or effective (domain.md 0; 21 CFR 202.1, AMG 8).

Texts that people type and certificates print (names, composition, statements) are read for such words. That is a net, not a proof: QA's approval
stands behind it.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from domain.errors import Invalid, Reason

_CLAIMS = re.compile(
    r"""\b(
        (?:fda|ema|pei|bfarm|swissmedic|mhra)\b[^.;,]{0,20}\b(?:approv\w*|authori[sz]\w*|cleared|clearance|registered|zugelassen\w*|genehmigt\w*)
      | (?<!un)approved | (?:marketing[ ]authori[sz]ation)
      | (?<!nicht[ ])zugelassen\w* | behördlich[ ]genehmigt\w*
      | (?:clinically|klinisch)[ ](?:proven|tested|validated|geprüft\w*|erwiesen\w*|bewährt\w*)
      | proven | nachweislich
      | cur(?:e|es|ed|ing) | heal(?:s|ed|ing)? | heilt | heilung | heilend\w*
      | treats? | treatment[ ]of | therapy[ ]for | behandelt | zur[ ](?:behandlung|therapie)
      | safe | safety | unbedenklich\w* | (?:gesundheitlich[ ])?sicher
      | f\.?[ ]?d\.?[ ]?a\b | food[ ]and[ ]drug[ ]administration | ema\b | european[ ]medicines[ ]agency | paul-ehrlich | swissmedic
      | (?:certified|cleared|authori[sz]ed|registered)[ ]by | gmp[ -]certified
      | free[ ]of[ ](?:any[ ])?risks? | suitable[ ]for[ ](?:injection|treatment)
      | licensed[ ]medicinal | accepted[ ]by[ ]the | authori[sz]ed[ ]for[ ]sale | without[ ]side[ -]effects?
      | reduces | relieves | curative | heilmittel | lindert
      | effective | efficacy | efficacious | effectiveness | wirksam\w* | wirksamkeit
      | rejuvenat\w* | anti-?ag(?:e)?ing | regenerates?
      | risk-?free | side-?effect-?free | nebenwirkungsfrei\w*
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)

#: Sentences that deny a claim may use its words.
_DENIALS = re.compile(
    r"\b(no(?![ ]other|[ ]doubt)|not(?![ ]only)|never|without(?![ ]side)|keine?[nmrs]?(?![ ]andere)|nicht(?![ ]nur|[ ]zu)|none)\b[^.,;:]{0,80}",
    re.IGNORECASE,
)

#: What is a technical term, and claims nothing.
_TERMS = re.compile(
    r"\b(safety[ ](?:stopper|cap|needle|cabinet|data)|cured[ ](?:silicone|rubber)|effective[ ](?:volume|from))\b",
    re.IGNORECASE,
)


def claims_in(text: str) -> tuple[str, ...]:
    """The words of the text that claim approval, safety or effect, outside of sentences that deny it."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    found = _CLAIMS.finditer(_DENIALS.sub(" ", _TERMS.sub(" ", plain)))
    return tuple(dict.fromkeys(one[0].lower() for one in found))


def claims_among(texts: Mapping[str, str | None]) -> Iterator[Reason]:
    """A reason for each field whose text claims something."""
    for field, text in texts.items():
        if found := claims_in(text or ""):
            named = ", ".join(repr(one) for one in found)
            said = f"{named} in {field} claims approval, safety or effect; no document of this system may"
            yield Reason("claim-not-allowed", said, field)


def refuse_claims(texts: Mapping[str, str | None]) -> None:
    """Raise Invalid with every claim that the texts make."""
    if reasons := tuple(claims_among(texts)):
        raise Invalid(*reasons)
