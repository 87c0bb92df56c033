"""Where a test begins: each stage is made once a worker, from the one before, through the real acts, and copied for each test.

`@pytest.mark.stage("in_review")` on a test or a module chooses; without it a test begins with the cast alone.
"""

from collections.abc import Callable

import sqlalchemy as sa

from domain.documents import Documents
from domain.work import Site
from tests import build, governed
from tests.cast import Clock, furnish
from tests.printing import press

#: The lot number of the one drug product in the stages that have one.
LOT = "UEV26-0001"


def _cast(site: Site) -> None:
    furnish(site.engine)


def _drug_product(site: Site) -> None:
    """A drug product in quarantine, with an approved specification to be tested against."""
    code = build.new_product(site)
    build.approved_specification(site, code)
    assert build.drug_product(site, code) == LOT


def _in_review(site: Site) -> None:
    """The same, sampled, tested, reviewed and with QA."""
    build.tested(site, LOT)


def _three_signatures(site: Site) -> None:
    """A drug product that was tested and reviewed, of a product that asks for three signatures; nobody has signed yet."""
    code = build.new_product(site, release_signatures=3)
    build.approved_specification(site, code)
    assert build.drug_product(site, code) == LOT
    build.tested(site, LOT, submit=False)


def _awaiting(site: Site) -> None:
    """The same but for sterility, which the product lets come 20 days late; submitted to QA."""
    build.late(site)
    build.tested(site, LOT, STER=None)


#: stage: the one before it, and what is added
STAGES: dict[str, tuple[str, Callable[[Site], None]]] = {
    "cast": ("empty", _cast),
    "drug_product": ("cast", _drug_product),
    "in_review": ("drug_product", _in_review),
    "awaiting": ("drug_product", _awaiting),
    "three_signatures": ("cast", _three_signatures),
    "governed": ("cast", governed.furnished),
}


def play(stage: str, engine: sa.Engine, clock: Clock) -> None:
    """Add to the database of the stage before what this stage has; the clock moves on with it."""
    STAGES[stage][1](Site(engine, Documents("memory://"), press(), clock=clock))
