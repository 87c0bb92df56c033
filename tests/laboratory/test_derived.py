"""Derived results: numbers from numbers, and from nothing else."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import NotFound
from domain.laboratory.derived import FORMULAS, Derived, Input, derive, purity_class
from domain.laboratory.size_distribution import SizeDistribution
from domain.laboratory.values import Censored, NotReportable, Numeric, Qualitative, Text
from domain.quantities import UNITS

PER_ML = "{particles}/mL"
CURVE = SizeDistribution((0, 50, 100, 200, 300), (2, 6, 1, 1))


def of(text: str, unit: str = PER_ML) -> Numeric:
    return Numeric(value=Decimal(text), unit=unit)


def figure(derived: Derived) -> Decimal:
    assert isinstance(derived.value, Numeric)
    return derived.value.value


def test_particles_per_vial_are_concentration_times_reconstitution_volume() -> None:
    derived = derive("particles-per-vial", {"concentration": of("1.2E11"), "volume": of("5", "mL")})
    assert derived.value == of("6.0E11", "{particles}/{vial}")
    assert derived.formula == "particles-per-vial/1"
    assert derived.inputs == (("concentration", "1.2E11 {particles}/mL"), ("volume", "5 mL"))


def test_particles_per_protein_carry_their_purity_class() -> None:
    derived = derive("particles-per-ug-protein", {"concentration": of("1.2E11"), "protein": of("8", "ug/mL")})
    assert (figure(derived), derived.purity) == (Decimal("1.5E10"), "B")


def test_a_volume_in_litres_is_converted() -> None:
    derived = derive("particles-per-vial", {"concentration": of("1.2E11"), "volume": of("0.005", "L")})
    assert figure(derived) == Decimal("6.0E11")


@pytest.mark.parametrize(
    ("ratio", "purity"), [("3E10", "A"), ("2.999E10", "B"), ("2E9", "B"), ("1.999E9", "C"), ("0", "C")]
)
def test_the_purity_classes_leave_no_gap(ratio: str, purity: str) -> None:
    assert purity_class(Decimal(ratio)) == purity


def test_recovery_over_lyophilisation() -> None:
    assert figure(derive("lyo-recovery", {"after": of("9E10"), "before": of("1.2E11")})) == 75


def test_the_figures_of_a_distribution() -> None:
    found = {name: figure(derive(name, {"distribution": CURVE})) for name in ("percent-30-150", "d50", "span")}
    assert found == {"percent-30-150": Decimal(73), "d50": Decimal(75), "span": Decimal("2.33333333333")}
    assert figure(derive("percent-above-200", {"distribution": CURVE})) == 10


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "Not tested"),
        (Censored(comparator="<", bound=Decimal(5), unit="ug/mL"), "< 5"),
        (NotReportable(why="control failed"), "control failed"),
        (Qualitative(term="present"), "Present"),
        (Text(text="8"), "8"),
        (of("0", "ug/mL"), "zero"),
        (of("-8", "ug/mL"), "below zero"),
        (of("8", "nm"), "nm"),
        (CURVE, "distribution"),
    ],
)
def test_without_a_number_there_is_no_ratio(value: Input, why: str) -> None:
    derived = derive("particles-per-ug-protein", {"concentration": of("1.2E11"), "protein": value})
    assert isinstance(derived.value, NotReportable)
    assert why in derived.value.why
    assert derived.purity is None


def test_a_distribution_by_intensity_gives_no_number_weighted_figure() -> None:
    by_intensity = SizeDistribution((0, 1), (1,), "intensity")
    assert isinstance(derive("d50", {"distribution": by_intensity}).value, NotReportable)


def test_an_unknown_formula_is_named() -> None:
    with pytest.raises(NotFound, match="potency"):
        derive("potency", {})


INPUTS: tuple[Input, ...] = (
    None,
    CURVE,
    of("1E99"),
    of("1E-99", "mL"),
    of("0"),
    Censored(comparator=">", bound=Decimal(1), unit=PER_ML),
    Qualitative(term="x"),
    Numeric.model_construct(value=Decimal("NaN"), unit=PER_ML),
)


def test_every_formula_answers_whatever_it_is_given() -> None:
    for formula in FORMULAS.values():
        assert formula.unit in UNITS
        for chosen in product(INPUTS, repeat=len(formula.inputs)):
            derived = derive(formula.name, dict(zip(formula.inputs, chosen, strict=True)))
            assert isinstance(derived.value, Numeric | NotReportable)
        assert isinstance(derive(formula.name, {}).value, NotReportable)


@given(st.decimals("1e6", "1e14", places=0), st.decimals("0.1", "100", places=1))
def test_more_volume_never_gives_fewer_particles(concentration: Decimal, volume: Decimal) -> None:
    small = {"concentration": Numeric(value=concentration, unit=PER_ML), "volume": Numeric(value=volume, unit="mL")}
    large = small | {"volume": Numeric(value=volume + 1, unit="mL")}
    assert figure(derive("particles-per-vial", small)) < figure(derive("particles-per-vial", large))
