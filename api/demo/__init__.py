"""`exolotl demo`: three months of an invented laboratory, made through the real operations.

Everything is told in the past of a clock of its own, which ends shortly before now. Nothing here is a person, a donor or a product.
"""

from collections.abc import Callable, Generator, Mapping
from datetime import timedelta

from sqlmodel import select

from api.demo.cast import CAST, DemoUser, furnish
from api.demo.downstream import CYCLE, SHORT_SOAK, analysed, drying, fill_weight_corrected, filled, packed, pooled
from api.demo.lab import Lab, Said, Story, credentials
from api.demo.laboratory_control import investigated
from api.demo.opening import delivered, opening
from api.demo.products import ADIPOSE, BONE_MARROW, CORD, LAST_DELIVERY, DemoProduct
from api.demo.quality import confirmed, label_roll, sterility_may_be_late, trained, vacuum_lost
from api.demo.upstream import Bulk, banks, bulk, reviewed
from domain.certificates.models import Certificate
from domain.certificates.words import RevisionCause
from domain.disposition.certificates import ReviseCertificate, revise_certificate
from domain.disposition.decisions import (
    RecallLot,
    ReleaseConditionally,
    ReleaseLot,
    SubmitLot,
    recall_lot,
    release_conditionally,
    release_lot,
    submit_lot,
)
from domain.labels.operations import PrintLabels, ReconcileLabels, print_labels, reconcile_labels
from domain.lots.models import Lot, LotKind, LotState
from domain.lots.queries import find_lots
from domain.people.models import User
from domain.store import reading
from domain.work import Site

__all__ = ["CAST", "DemoUser", "make", "where_to_look"]

DAYS = 91
"""How far back the history begins, at least: bank, culture, drying and fourteen days of sterility take their time."""


def make(site: Site) -> str:
    """Fill an empty database with the demo, or find it there; returns one sentence that says which.

    Raises SystemExit with a sentence when the database holds anything but the complete demo: demo lots are never mixed with others.
    """
    if not site.profile.demo:
        raise SystemExit("The demo is made in demo mode only: set EXOLOTL_DEMO=1, and never where real lots are.")
    if _finished(site):
        return "The demo is there already; nothing was changed."
    if not _empty(site):
        raise SystemExit(
            "This database is not empty, and it does not hold the complete demo (perhaps its making was interrupted)."
            " Demo lots are never mixed with others: name an empty database in EXOLOTL_DATABASE_URL, or delete the demo's own."
        )
    now = site.clock()
    today = site.today(now)
    start = today - timedelta(days=DAYS)
    lab = Lab(site, start - timedelta(days=start.weekday()))
    furnish(lab.site)
    lab.tell(*_stories(lab, (today - lab.first_day).days))
    assert lab.now < now, "the demo ends before now"
    with reading(site.engine) as session:
        count = len(session.exec(select(Lot.id)).all())
    return f"The demo is made: {count} lots since {lab.first_day}."


def _finished(site: Site) -> bool:
    with reading(site.engine) as session:
        return session.exec(select(Lot.id).where(Lot.supplier_lot_number == LAST_DELIVERY[2])).first() is not None


def _empty(site: Site) -> bool:
    with reading(site.engine) as session:
        return session.exec(select(User.id)).first() is None and session.exec(select(Lot.id)).first() is None


def _stories(lab: Lab, today: int) -> Generator[Story[None], None, None]:
    yield opening(lab)
    yield banks(lab, ADIPOSE, 1)
    yield banks(lab, BONE_MARROW, 2)
    yield banks(lab, CORD, 2)
    yield _adipose_released(lab)
    yield _cord(lab, 42, 3, _released_and_recalled)
    yield _cord(lab, 49, 4, _released_and_revised)
    yield _cord(lab, 56, 5, _submitted)
    yield sterility_may_be_late(lab, CORD)
    yield _cord_released_before_its_sterility(lab)
    yield _adipose_under_test(lab)
    yield _bone_marrow_on_hold(lab)
    yield _bone_marrow_in_the_dryer(lab, today)
    yield _last_delivery(lab, today)


def _adipose_released(lab: Lab) -> Story[None]:
    """Two bulks of one donor, pooled; a corrected reading, a corrected result, an alert and a late entry on the way."""
    first = yield from bulk(lab, ADIPOSE, 42, 1, busy=True)
    second = yield from bulk(lab, ADIPOSE, 49, 2)
    pool = yield from pooled(lab, (first, second), 60)
    vials = yield from filled(lab, ADIPOSE, pool, 63)
    yield lab.at(63, "15:10")
    fill_weight_corrected(lab, vials[0], "5.14")
    lot = yield from packed(lab, ADIPOSE, vials, 63)
    _labelled(lab, lot)
    sample = yield from analysed(lab, ADIPOSE, lot, 66, 11, slip=True)
    yield from _released(lab, lot, sample, 81)


def _labelled(lab: Lab, lot: str) -> None:
    """Labels of all vials, accounted for as the packaging step says."""
    with reading(lab.site.engine) as session:
        made = session.exec(select(Lot).where(Lot.lot_number == lot)).one()
    applied = int(made.quantity or 0)
    lab.act("tom", print_labels, PrintLabels(lot_number=lot, kind="vial", count=applied + 9))
    counted = ReconcileLabels(lot_number=lot, kind="vial", applied=applied, destroyed=8, sample_attached=1)
    lab.act("tom", reconcile_labels, counted)


def _cord(lab: Lab, day: int, seed: int, ending: Callable[[Lab, str, str, int], Story[None]]) -> Story[None]:
    """A lot of cord vesicles from a thaw on `day`, with an ending from the day of its last result on."""
    one = yield from bulk(lab, CORD, day, seed)
    lot = yield from _made(lab, CORD, one, day + 14)
    sample = yield from analysed(lab, CORD, lot, day + 17, seed + 10)
    yield from ending(lab, lot, sample, day + 32)


def _made(lab: Lab, product: DemoProduct, one: Bulk, day: int, cycle: Mapping[str, Said] = CYCLE) -> Story[str]:
    vials = yield from filled(lab, product, one, day)
    return (yield from packed(lab, product, vials, day, cycle))


def _submitted(lab: Lab, lot: str, sample: str, day: int) -> Story[None]:
    yield lab.at(day, "13:00")
    reviewed(lab, sample)
    yield lab.at(day, "15:00")
    command = SubmitLot(
        lot_number=lot,
        reason="tested according to the specification; all results final",
        credentials=credentials("rhea"),
    )
    lab.act("rhea", submit_lot, command)
    confirmed(lab, lot)


def _released(lab: Lab, lot: str, sample: str, day: int) -> Story[None]:
    yield from _submitted(lab, lot, sample, day)
    yield lab.at(day + 3, "09:30")
    reason = "batch record and test record reviewed; complies with the specification"
    lab.act("cleo", release_lot, ReleaseLot(lot_number=lot, reason=reason, credentials=credentials("cleo")))


def _cord_released_before_its_sterility(lab: Lab) -> Story[None]:
    """A named patient waits: all but sterility is there, which the product lets come late."""
    one = yield from bulk(lab, CORD, 59, 18)
    lot = yield from _made(lab, CORD, one, 73)
    sample = yield from analysed(lab, CORD, lot, 76, 28, until=12)
    yield from _submitted(lab, lot, sample, 89)
    yield lab.at(90, "09:15")
    command = ReleaseConditionally(
        lot_number=lot,
        reason="a named patient waits; sterility has been without growth for twelve days",
        awaited=("STER",),
        due_on=lab.now.date() + timedelta(days=10),
        credentials=credentials("cleo"),
    )
    lab.act("cleo", release_conditionally, command)


def _released_and_recalled(lab: Lab, lot: str, sample: str, day: int) -> Story[None]:
    yield from _released(lab, lot, sample, day)
    yield lab.at(day + 13, "16:00")
    command = RecallLot(
        lot_number=lot,
        recall_class="II",
        reason="a clinic reports cracked vials in two cartons; closure integrity in question",
        credentials=credentials("cleo"),
    )
    lab.act("cleo", recall_lot, command)


def _released_and_revised(lab: Lab, lot: str, sample: str, day: int) -> Story[None]:
    """A deviation on the way; then the certificate is issued anew: its number stays, the first revision is shown as superseded."""
    capa = yield from label_roll(lab, lot, day)
    yield from _released(lab, lot, sample, day)
    yield from trained(lab, capa, day + 3)
    yield lab.at(day + 4, "10:30")
    with reading(lab.site.engine) as session:
        number = session.exec(select(Certificate.number).join(Lot).where(Lot.lot_number == lot)).one()
    command = ReviseCertificate(
        certificate_number=number,
        cause=RevisionCause.SITE_DATA_CHANGED,
        reason="the telephone number of the quality department was out of date",
        credentials=credentials("quentin"),
    )
    lab.act("quentin", revise_certificate, command)


def _adipose_under_test(lab: Lab) -> Story[None]:
    """Sterility runs; the other results wait for their review."""
    first = yield from bulk(lab, ADIPOSE, 56, 6)
    second = yield from bulk(lab, ADIPOSE, 63, 9)
    pool = yield from pooled(lab, (first, second), 74)
    lot = yield from _made(lab, ADIPOSE, pool, 77)
    yield from analysed(lab, ADIPOSE, lot, 80, 16, until=7)


def _bone_marrow_on_hold(lab: Lab) -> Story[None]:
    """The soak after primary drying was cut short: too moist. The system holds the lot, and the investigation waits for a retest."""
    one = yield from bulk(lab, BONE_MARROW, 49, 7)
    lot = yield from _made(
        lab, BONE_MARROW, one, 63, cycle=CYCLE | {"soak_share": SHORT_SOAK, "alarms": "vacuum pump tripped, 14 min"}
    )
    sample = yield from analysed(lab, BONE_MARROW, lot, 66, 17, instead={"MOIST": ("3.31", "3.52", "3.44")})
    yield lab.at(81, "13:30")
    reviewed(lab, sample)
    yield from investigated(lab, lot, 82)
    yield from vacuum_lost(lab, lot, one.lot, 84)


def _bone_marrow_in_the_dryer(lab: Lab, today: int) -> Story[None]:
    one = yield from bulk(lab, BONE_MARROW, 70, 8)
    vials = yield from filled(lab, BONE_MARROW, one, today - 2)
    yield from drying(lab, BONE_MARROW, vials, today - 2)


def _last_delivery(lab: Lab, today: int) -> Story[None]:
    yield lab.at(today - 1, "16:30")
    delivered(lab, LAST_DELIVERY)


def where_to_look(site: Site, base_url: str) -> list[str]:
    """What to open, and as whom to sign in: one line each."""
    today = site.today()
    with reading(site.engine) as session:
        found = {
            state: find_lots(session, today, state=state, kind=LotKind.DRUG_PRODUCT).lots
            for state in (LotState.RELEASED, LotState.RECALLED, LotState.QA_REVIEW, LotState.ON_HOLD)
        }
    places = [
        ("Start page", ""),
        ("API", "docs"),
        *(("Released, sterility awaited", f"c/{lot.lot_number}") for lot in found[LotState.RELEASED][:1]),
        *(("Certificate of a released lot", f"c/{lot.lot_number}") for lot in found[LotState.RELEASED][1:2]),
        *(("Certificates for two markets", f"c/{lot.lot_number}") for lot in found[LotState.RELEASED][-1:]),
        *(("Certificate of a recalled lot", f"c/{lot.lot_number}") for lot in found[LotState.RECALLED][:1]),
        *(("Waits for release by cleo", f"lots/{lot.lot_number}") for lot in found[LotState.QA_REVIEW][:1]),
        *(("On hold: too moist", f"lots/{lot.lot_number}") for lot in found[LotState.ON_HOLD][:1]),
    ]
    lines = [f"{what:<31}{base_url.rstrip('/')}/{path}" for what, path in places]
    people = [f"  {one.username:<11}{one.password:<23}{one.name}, {one.function}" for one in CAST]
    return [*lines, "", "Sign in (demo mode only) as:", *people]
