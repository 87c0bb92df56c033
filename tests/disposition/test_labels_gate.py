"""A lot whose labels are not all accounted for is not released."""

import pytest

from domain.errors import Refused
from domain.labels.operations import PrintLabels, ReconcileLabels, print_labels, reconcile_labels
from domain.lots.models import LotState
from domain.work import Site
from tests import build
from tests.cast import act
from tests.stages import LOT


@pytest.mark.requirement("URS-113")
@pytest.mark.stage("in_review")
def test_a_lot_with_labels_that_nobody_accounted_for_is_not_released(site: Site) -> None:
    act(site, "tom", print_labels, PrintLabels(lot_number=LOT, kind="vial", count=110))
    with pytest.raises(Refused) as refusal:
        build.released(site, LOT)
    assert {reason.code for reason in refusal.value.reasons} == {"labels-open"}
    counted = ReconcileLabels(lot_number=LOT, kind="vial", applied=101, destroyed=8, sample_attached=1)
    act(site, "tom", reconcile_labels, counted)
    build.released(site, LOT)
    assert build.lot(site, LOT).state is LotState.RELEASED
