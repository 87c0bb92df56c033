"""No document of this system claims that a product is approved, safe or effective."""

import pytest

from api.demo.panel import METHODS
from api.demo.products import ADIPOSE, BONE_MARROW, CORD
from domain.certificates import words
from domain.certificates.content import Words
from domain.claims import claims_in


@pytest.mark.requirement("URS-067")
@pytest.mark.parametrize(
    "claim",
    [
        "FDA-approved exosomes",
        "Approved by the authority",
        "EMA authorised product",
        "A clinically proven preparation",
        "Heals wounds in days",
        "heals",
        "Zugelassen in der EU",
        "Klinisch geprüft",
        "wirksam gegen Arthrose",
        "safe and effective",
        "Treats osteoarthritis",
        "zur Behandlung von Narben",
        "It is not a secret. It cures.",
        "free of risk, risk-free",
        "Anti-Aging serum",
        "Gesundheitlich unbedenklich",
        "Not only FDA approved but also effective",
        "No other product is as safe and effective",
        "ap\u00adproved by the authority",
        "Accepted by the FDA",
        "without side effects",
        "F.D.A. cleared product",
        "FDA-geprüftes Produkt",
        "GMP certified by the authorities",
        "pure exosomes, free of any risk",
    ],
)
def test_a_claim_is_found(claim: str) -> None:
    assert claims_in(claim)


@pytest.mark.requirement("URS-067")
@pytest.mark.parametrize(
    "plain",
    [
        "MSC-derived extracellular vesicles, lyophilised",
        "Not an authorised medicinal product.",
        "Kein zugelassenes Arzneimittel.",
        "This is no statement that the product is approved.",
        "makes no statement on safety or efficacy",
        "Trehalose dihydrate 100 mg, histidine",
        "Shipped at 2 to 8 °C; the logger's record is enclosed.",
        "6R vial, type I glass, secured by a flip-off cap",
        "unapproved",
        "safety stopper of cured silicone, effective volume 2 mL",
        "Wasser für Injektionszwecke",
    ],
)
def test_what_states_or_denies_is_no_claim(plain: str) -> None:
    assert claims_in(plain) == ()


@pytest.mark.requirement("URS-051", "URS-067")
def test_the_fixed_words_of_a_certificate_claim_nothing() -> None:
    fixed = [value for value in vars(words).values() if isinstance(value, Words)]
    fixed += [
        one for table in (words.NOTICES, words.ROUTES, words.TISSUES, words.REVISION_CAUSES) for one in table.values()
    ]
    fixed += words.STATEMENTS
    assert {one: claims for one in fixed for text in (one.en, one.de) if (claims := claims_in(text))} == {}


def test_the_texts_of_the_demo_claim_nothing() -> None:
    for product in (ADIPOSE, BONE_MARROW, CORD):
        command = product.command
        assert claims_in(f"{command.name_en} {command.name_de} {command.composition} {command.container}") == ()
    for method in METHODS:
        assert claims_in(f"{method.name}; {method.principle}; {method.limitation_en}; {method.limitation_de}") == ()
