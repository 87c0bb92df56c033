"""The demo's laboratory control: a run with controls, a slow test read to its end, a report from outside, and an investigation with its phases."""

from datetime import datetime, timedelta

from sqlmodel import select

from api.demo.lab import Lab, Story, credentials
from api.demo.panel import METHOD_FOR, panel
from api.demo.products import ADIPOSE, DemoProduct
from domain.laboratory.catalogue import TESTS
from domain.laboratory.contract import (
    CheckTranscription,
    EnterContractResult,
    KeepReport,
    check_transcription,
    enter_contract_result,
    keep_report,
)
from domain.laboratory.control_models import CustodyEvent, Growth, Stage
from domain.laboratory.custody import RecordCustody, record_custody
from domain.laboratory.methods import ApproveMethod, approve_method
from domain.laboratory.models import Method, Reserve, Result
from domain.laboratory.oos import (
    CHECKLIST,
    ChecklistAnswer,
    InvestigateLaboratory,
    ReviewManufacture,
    investigate_laboratory,
    review_manufacture,
)
from domain.laboratory.oos_models import Cause, Oos
from domain.laboratory.oos_retests import (
    ApproveRetest,
    EnterRetest,
    PlanRetest,
    approve_retest,
    enter_retest,
    plan_retest,
)
from domain.laboratory.results import EnterResult, enter_result
from domain.laboratory.runs import CheckEntry, ConcludeRun, StartRun, conclude_run, start_run
from domain.laboratory.samples import DrawSample, draw_sample
from domain.laboratory.sampling import (
    ApproveSamplingPlan,
    DraftSamplingPlan,
    DrawByPlan,
    PlanLine,
    approve_sampling_plan,
    draft_sampling_plan,
    draw_by_plan,
)
from domain.laboratory.sterility import (
    ConcludeSlowTest,
    Inoculate,
    ReadGrowth,
    conclude_slow_test,
    inoculate,
    read_growth,
)
from domain.lots.models import Lot
from domain.lots.operations import Amount
from domain.store import reading

PLAN, OUTSIDE = "SP-AD-EV-100", "Virologie Oderbruch GmbH"

#: What an ordinary LAL run gives, and one that fails.
LAL_GIVES = {"negative control": "<0.005", "spike recovery": "98", "standard curve, r": "0.998"}
FAILED_LAL = LAL_GIVES | {"spike recovery": "231"}


def approved_methods(lab: Lab) -> None:
    """QA signs every method, each as it was defined."""
    with reading(lab.site.engine) as session:
        found = [(one.code, one.revision) for one in session.exec(select(Method).order_by(Method.code))]
    for code, revision in found:
        lab.act("cleo", approve_method, ApproveMethod(code=code, revision=revision, credentials=credentials("cleo")))


def planned(lab: Lab) -> None:
    """The sampling plan of the adipose product, drafted; others are sampled by hand."""
    tests = tuple(
        line.criterion.test_code for line in panel(ADIPOSE) if TESTS[line.criterion.test_code].derived is None
    )
    lines = (
        PlanLine(stage=Stage.BANK, purpose="bank release", quantity=_vials(4), tests=("STER-R", "MYCO")),
        PlanLine(stage=Stage.FINAL, purpose="release", quantity=_vials(36), tests=tests, within_days=7),
        _kept(Reserve.RETENTION),
        _kept(Reserve.STABILITY),
    )
    draft = DraftSamplingPlan(code=PLAN, product_code=ADIPOSE.code, effective_from=lab.now.date(), lines=lines)
    lab.act("rhea", draft_sampling_plan, draft)


def approved_plan(lab: Lab) -> None:
    """QA signs the plan."""
    lab.act("cleo", approve_sampling_plan, ApproveSamplingPlan(code=PLAN, revision=1, credentials=credentials("cleo")))


def _kept(reserve: Reserve) -> PlanLine:
    return PlanLine(
        stage=Stage.FINAL, purpose=reserve.value, quantity=_vials(2), reserve=reserve, within_days=7, storage="Cold room 2, 2-8 °C"
    )  # fmt: skip


def _vials(count: int) -> Amount:
    return Amount(value=str(count), unit="{vial}")


def drawn(lab: Lab, product: DemoProduct, lot: str, count: int) -> str:
    """The release sample of a drug product: by its plan, where it has one; returns its number."""
    comment = "start, middle and end of the fill"
    if product.code == ADIPOSE.code:
        return lab.act("ben", draw_by_plan, DrawByPlan(lot_number=lot, comment=comment))[0].number
    return lab.act("ben", draw_sample, DrawSample(lot_number=lot, quantity=_vials(count), comment=comment)).number


def run_of(lab: Lab, sample: str, test: str, found: tuple[str, ...], *, fails_first: bool = False) -> None:
    """A result in a run with its controls; before it, where asked, a run that failed and does not count."""
    for gives in (FAILED_LAL, LAL_GIVES) if fails_first else (LAL_GIVES,):
        started = lab.now - timedelta(minutes=70)
        begin = StartRun(method_code=METHOD_FOR[test], instrument="Plate reader 1", started_at=started)
        run = lab.act("ben", start_run, begin).number
        command = EnterResult(
            sample_number=sample, method_code=METHOD_FOR[test], replicates=found, unit=TESTS[test].unit,
            started_at=started, finished_at=lab.now, run_number=run,
        )  # fmt: skip
        lab.act("ben", enter_result, command)
        checks = tuple(CheckEntry(name=name, value=value) for name, value in gives.items())
        lab.act("ben", conclude_run, ConcludeRun(run_number=run, checks=checks))


def inoculated(lab: Lab, sample: str, units: int) -> None:
    """The sterility test begins."""
    command = Inoculate(
        sample_number=sample, method_code=METHOD_FOR["STER"], units=units,
        media="FTM lot M-5521 at 32 °C, TSB lot M-5530 at 22 °C; inoculated in the isolator",
    )  # fmt: skip
    lab.act("ben", inoculate, command)


def read(lab: Lab, sample: str) -> None:
    """The media are clear."""
    command = ReadGrowth(sample_number=sample, method_code=METHOD_FOR["STER"], seen=Growth.CLEAR)
    lab.act("ben", read_growth, command)


def no_growth(lab: Lab, sample: str) -> None:
    """The result that follows from the readings."""
    read(lab, sample)
    lab.act("ben", conclude_slow_test, ConcludeSlowTest(sample_number=sample, method_code=METHOD_FOR["STER"]))


def sent_out(lab: Lab, sample: str) -> None:
    """A sample goes to the contract laboratory."""
    command = RecordCustody(
        sample_number=sample, event=CustodyEvent.HANDED_OVER, to_name=f"{OUTSIDE}, one vial on dry ice"
    )
    lab.act("ben", record_custody, command)


def contracted(lab: Lab, sample: str, started: datetime) -> None:
    """Virus safety of a bank: the report comes in, its figure is typed, and typed again by a second person."""
    number = f"VO-22-{sample[-4:]}"
    report = KeepReport(
        laboratory=OUTSIDE, accreditation="ISO/IEC 17025 (invented)", report_number=number, file_name=f"{number}.txt",
        data=f"Report {number}: PCR panel of 14 human viruses in sample {sample}: not detected\n".encode(),
        received_on=lab.site.today(lab.now),
    )  # fmt: skip
    lab.act("ben", keep_report, report)
    figure = EnterContractResult(
        sample_number=sample, laboratory=OUTSIDE, report_number=number, method_code=METHOD_FOR["VIRUS"],
        replicates=("not detected",), started_at=started, finished_at=lab.now,
    )  # fmt: skip
    result: Result = lab.act("ben", enter_contract_result, figure)
    lab.act("rhea", check_transcription, CheckTranscription(result_id=result.key, replicates=("not detected",)))


def investigated(lab: Lab, lot: str, day: int) -> Story[None]:
    """The lot that is too moist: phase 1 finds nothing, production finds the cause, two retests are planned and one is done."""
    with reading(lab.site.engine) as session:
        number = session.exec(select(Oos.number).join(Lot).where(Lot.lot_number == lot)).one()
    yield lab.at(day, "11:00")
    said = {"suitability": "drift of the titrator 2 µg/min, within its limit", "sample": "vials opened in the dry box"}
    answers = tuple(ChecklistAnswer(item=item, as_it_should_be=True, remark=said.get(item, "")) for item in CHECKLIST)
    first = InvestigateLaboratory(
        oos_number=number, answers=answers, cause=Cause.NONE, credentials=credentials("rhea"),
        text="Titration, drift correction and weighing of all three vials were gone through with the analyst; nothing explains the result.",
    )  # fmt: skip
    lab.act("rhea", investigate_laboratory, first)
    yield lab.at(day + 1, "09:00")
    second = ReviewManufacture(
        oos_number=number, cause_found=True, credentials=credentials("petra"),
        text="The vacuum pump tripped during the soak after primary drying; secondary drying was started before the soak was over.",
    )  # fmt: skip
    lab.act("petra", review_manufacture, second)
    plan = PlanRetest(
        oos_number=number, count=2, analysts=("bea",),
        reason="Two titrations of three vials each from the same sample: front and back of the shelf, as SOP-QC-004 foresees.",
    )  # fmt: skip
    lab.act("rhea", plan_retest, plan)
    lab.act("cleo", approve_retest, ApproveRetest(oos_number=number, credentials=credentials("cleo")))
    yield lab.at(day + 2, "10:30")
    retest = EnterRetest(
        oos_number=number, replicates=("3.38", "3.46", "3.41"), unit=TESTS["MOIST"].unit,
        started_at=lab.now - timedelta(minutes=50), finished_at=lab.now, comment="front of the shelf",
    )  # fmt: skip
    lab.act("bea", enter_retest, retest)
