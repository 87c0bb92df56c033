"""What must never happen with what an analyst types: where well-known systems got it wrong."""

import pytest

from domain.disposition.readiness import readiness
from domain.errors import Invalid
from domain.laboratory.queries import lot_results
from domain.laboratory.values import Censored, load_value
from domain.laboratory.verdict import Verdict
from domain.lots.models import LotState
from domain.manufacturing.catalogue import step_kind
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import actor, raw
from tests.laboratory import control
from tests.laboratory.control import codes
from tests.stages import LOT

pytestmark = pytest.mark.stage("drug_product")


def verdict(site: Site, test: str) -> Verdict:
    with reading(site.engine) as session:
        found = lot_results(session, build.lot(site, LOT).key)
    return next(line.judgement.verdict for line in found.lines if line.test.code == test)


@pytest.mark.requirement("URS-216")
@pytest.mark.parametrize(
    ("typed", "told"), [("<0.05", Verdict.PASS), ("<0.60", Verdict.INDETERMINATE), (">0.60", Verdict.FAIL)]
)
def test_below_a_limit_is_neither_the_limit_nor_zero_nor_left_unjudged_without_blocking(
    site: Site, typed: str, told: Verdict
) -> None:
    """At most 0.50 EU/mL is asked for: less than 0.60 may be more, and blocks until somebody measures."""
    control.method(site, "ENDO")
    control.entered(site, build.sampled(site, LOT), "ENDO", typed, typed)
    value = load_value(raw(site, "SELECT value FROM result WHERE test_code = 'ENDO'")[0][0])
    assert isinstance(value, Censored)
    assert (value.comparator, f"{value.bound}") == (typed[0], typed[1:])
    assert verdict(site, "ENDO") is told
    with reading(site.engine) as session:
        stands = readiness(session, LOT, "release", site.clock(), site.today(), actor(site, "cleo"))
    assert any("ENDO" in one.text or "ndotoxin" in one.text for one in stands) or told is Verdict.PASS


@pytest.mark.requirement("URS-216")
@pytest.mark.parametrize(("test", "typed"), [("STER", "No growth"), ("APP-CAKE", "Intact")])
def test_a_word_in_other_letters_is_not_the_word(site: Site, test: str, typed: str) -> None:
    """'yes' against 'Yes': it is refused with what is allowed, and not read as if it were meant."""
    with pytest.raises(Invalid) as refusal:
        control.entered(site, build.sampled(site, LOT), test, typed)
    assert "intact" in str(refusal.value) or "no growth" in str(refusal.value)
    assert raw(site, "SELECT count(*) FROM result") == [(0,)]
    with pytest.raises(Invalid) as choice:
        step_kind("lyophilization").parameter("backfill_gas").check("Nitrogen")
    assert codes(choice) == {"unknown-choice"}


@pytest.mark.requirement("URS-216")
@pytest.mark.parametrize("term", ["shrunken", "collapsed", "melt-back"])
def test_a_choice_that_the_specification_does_not_allow_is_out_of_specification(site: Site, term: str) -> None:
    """A multiple-choice result that can never be out of specification: here it opens an investigation and holds the lot."""
    control.entered(site, build.sampled(site, LOT), "APP-CAKE", term)
    assert verdict(site, "APP-CAKE") is Verdict.FAIL
    assert [one.test_code for one in control.investigations(site)] == ["APP-CAKE"]
    assert build.lot(site, LOT).state is LotState.ON_HOLD
