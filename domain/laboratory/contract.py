"""Results of contract laboratories: the report as a file, the figures from it, and a second person who types the figures again."""

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date

from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select

from domain.errors import Conflict, Invalid, NotFound, Reason, Refused
from domain.laboratory.control_models import ContractReport, TranscriptionCheck
from domain.laboratory.files import document_facts
from domain.laboratory.keeping import keep
from domain.laboratory.models import Result, Sample
from domain.laboratory.results import measured_by, newest_method
from domain.laboratory.samples import sample_named
from domain.permissions import Permission
from domain.quantities import UnitCode
from domain.work import Command, Work, operation


class KeepReport(Command):
    """Record the report of a contract laboratory, with its file: uploaded before (sha256), or given here."""

    laboratory: str = Field(min_length=2, max_length=200)
    accreditation: str = Field(min_length=2, max_length=200, examples=["DIN EN ISO/IEC 17025, D-PL-00000-00-00"])
    report_number: str = Field(min_length=1, max_length=60)
    sha256: str | None = Field(default=None, min_length=64, max_length=64)
    file_name: str = Field(default="", max_length=200)
    data: bytes | None = Field(default=None, repr=False)
    received_on: date


class EnterContractResult(Command):
    """Enter a figure from the report, as it stands there."""

    sample_number: str
    laboratory: str
    report_number: str
    method_code: str
    replicates: tuple[str, ...] = Field(min_length=1, max_length=100)
    unit: UnitCode | None = Field(default=None, max_length=30)
    started_at: AwareDatetime
    finished_at: AwareDatetime
    comment: str = Field(default="", max_length=1000)
    dilution: str | None = Field(default=None, max_length=20)


class CheckTranscription(Command):
    """A second person reads the report and types the same figures again."""

    result_id: int
    replicates: tuple[str, ...] = Field(min_length=1, max_length=100)
    unit: UnitCode | None = Field(default=None, max_length=30)


@operation(Permission.ENTER_RESULT)
def keep_report(work: Work, command: KeepReport) -> ContractReport:
    """A laboratory's report number is recorded once."""
    sha256 = command.sha256
    if command.data:
        sha256 = work.keep_document(command.data, command.file_name or "report", "application/octet-stream")
    if sha256 is None:
        raise Invalid(Reason("file-needed", "a report comes with its file", "file"))
    document_facts(work.session, sha256)
    work.site.documents.get(sha256)
    if command.received_on > work.today:
        raise Invalid(Reason("in-the-future", "a report is not received in the future", "received_on"))
    known = select(ContractReport.id).where(
        ContractReport.laboratory == command.laboratory, ContractReport.report_number == command.report_number
    )
    if work.session.exec(known).first() is not None:
        text = f"report {command.report_number} of {command.laboratory} is on record already"
        raise Conflict(Reason("report-exists", text, "report_number"))
    facts = command.model_dump(exclude={"data", "file_name", "sha256"})
    return work.add(ContractReport(**facts, sha256=sha256, recorded_at=work.now, recorded_by=work.actor.person))


@operation(Permission.ENTER_RESULT)
def enter_contract_result(work: Work, command: EnterContractResult) -> Result:
    """The method is ours: what the contract laboratory did is described by it, and approved with the specification."""
    found = select(ContractReport).where(
        ContractReport.laboratory == command.laboratory, ContractReport.report_number == command.report_number
    )
    report = work.session.exec(found).first()
    if report is None:
        text = f"there is no report {command.report_number!r} of {command.laboratory!r}"
        raise NotFound(Reason("report-not-found", text, "report_number"))
    sample = sample_named(work.session, command.sample_number)
    method = newest_method(work.session, command.method_code)
    return keep(work, sample, replace(measured_by(method, _Read(command, report.sha256)), report_id=report.key))


class _Read:
    """A figure of a report as `measured_by` takes it: its raw data are the report."""

    def __init__(self, command: EnterContractResult, sha256: str) -> None:
        self.replicates, self.unit, self.comment = command.replicates, command.unit, command.comment
        self.started_at, self.finished_at = command.started_at, command.finished_at
        self.dilution: str | None = command.dilution
        self.raw_sha256: str | None = sha256


@operation(Permission.REVIEW_RESULT)
def check_transcription(work: Work, command: CheckTranscription) -> TranscriptionCheck:
    """The figures must agree sign for sign; a difference is refused with both shown, and stays in the audit trail."""
    result = work.session.get(Result, command.result_id)
    if result is None or result.report_id is None:
        text = f"there is no result {command.result_id} of a contract laboratory"
        raise NotFound(Reason("result-not-found", text, "result_id"))
    if result.analyst_id == work.actor.user_id:
        text = f"{work.actor.name} typed result {result.id} and so is no second person for it"
        raise Refused(Reason("not-by-same-person", text, "result_id"))
    checked = select(TranscriptionCheck.id).where(TranscriptionCheck.result_id == result.id)
    if work.session.exec(checked).first() is not None:
        raise Conflict(Reason("checked-already", f"result {result.id} was checked already", "result_id"))
    if differing := list(_differing(result, command)):
        raise Refused(*differing)
    return work.add(TranscriptionCheck(result_id=result.key, checked_at=work.now, checked_by=work.actor.person))


def _differing(result: Result, command: CheckTranscription) -> Iterator[Reason]:
    first = json.loads(result.replicates)
    if len(first) != len(command.replicates):
        text = f"{len(first)} figures were entered first, {len(command.replicates)} now"
        yield Reason("transcription-differs", text, "replicates")
    for place, (one, other) in enumerate(zip(first, command.replicates, strict=False), 1):
        if one.strip() != other.strip():
            text = f"figure {place}: {one!r} was entered first, {other!r} now; look at the report"
            yield Reason("transcription-differs", text, f"replicates.{place}")
    if (command.unit or None) != result.unit:
        text = f"the unit {result.unit!r} was entered first, {command.unit!r} now"
        yield Reason("transcription-differs", text, "unit")


def why_not_checked(session: Session, lot_id: int, but: Collection[str] = ()) -> Iterator[Reason]:
    """Figures of contract laboratories that no second person has typed again; but for tests that are awaited."""
    replaced = select(Result.replaces_id).where(col(Result.replaces_id).is_not(None))
    found = (
        select(Result, ContractReport, Sample.number)
        .join(Sample, col(Result.sample_id) == Sample.id)
        .join(ContractReport, col(Result.report_id) == ContractReport.id)
        .outerjoin(TranscriptionCheck, col(TranscriptionCheck.result_id) == Result.id)
        .where(Sample.lot_id == lot_id, col(TranscriptionCheck.id).is_(None), col(Result.id).not_in(replaced))
        .where(col(Result.test_code).not_in(but))
        .order_by(col(Result.id))
    )
    for result, report, number in session.exec(found):
        text = f"result {result.id} ({result.test_code}) from report {report.report_number} of {report.laboratory} is not checked"
        told = f"{text}: a second person types it again"
        yield Reason("transcription-unchecked", told, result.test_code, about=("sample", number))
