"""Methods, specifications, samples, results, raw files."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from typing import Any

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import RowId, acting, asking, site_of
from api.problems import answers
from domain.disposition.queries import ResultView, SampleView, sample_file
from domain.errors import Invalid, Reason
from domain.instruments.imports import ImportNanoSight, import_nanosight
from domain.laboratory.catalogue import TESTS, Test
from domain.laboratory.defining import DefineMethod, define_method
from domain.laboratory.files import KeepFile, document_facts, keep_file
from domain.laboratory.models import ReviewOutcome
from domain.laboratory.results import CorrectResult, EnterResult, correct_result, enter_result
from domain.laboratory.reviewing import ReviewResults, review_results
from domain.laboratory.samples import DrawSample, draw_sample
from domain.laboratory.specification_queries import (
    MethodView,
    SpecificationView,
    methods,
    specification_file,
    specifications,
)
from domain.laboratory.specifications import (
    ApproveSpecification,
    DraftSpecification,
    approve_specification,
    draft_specification,
)
from domain.lots.operations import Amount
from domain.permissions import Permission
from domain.quantities import UnitCode
from domain.signatures import Credentials

router = APIRouter(prefix="/api/v1", tags=["laboratory"], responses=answers(401, 403, 409, 422))

MOST_BYTES = 20 * 1024 * 1024


class Body(BaseModel):
    """A request's body: takes no stray fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SampleBody(Body):
    """What is taken."""

    quantity: Amount
    purpose: str = Field(default="release", max_length=60)
    taken_at: AwareDatetime | None = None
    comment: str = Field(default="", max_length=1000)


class ResultBody(Body):
    """What was found: every replicate as read."""

    method_code: str = Field(examples=["SOP-QC-012"])
    replicates: tuple[str, ...] = Field(min_length=1, max_length=100, examples=[["7.31", "7.29"]])
    unit: UnitCode | None = Field(default=None, max_length=30, examples=["[pH]"])
    started_at: AwareDatetime
    finished_at: AwareDatetime
    comment: str = Field(default="", max_length=1000)
    raw_sha256: str | None = Field(default=None, description="of a file uploaded to /documents before")
    run_number: str | None = Field(default=None, max_length=20, examples=["RUN-000012"])
    dilution: str | None = Field(default=None, max_length=20, description="factor; the replicates are as read")
    instrument: str | None = Field(default=None, max_length=100)


class CorrectionBody(Body):
    """What was found, and why the earlier result is replaced."""

    reason: str = Field(min_length=3, max_length=1000)
    replicates: tuple[str, ...] = Field(min_length=1, max_length=100)
    unit: UnitCode | None = Field(default=None, max_length=30)
    started_at: AwareDatetime
    finished_at: AwareDatetime
    comment: str = Field(default="", max_length=1000)
    raw_sha256: str | None = None
    dilution: str | None = Field(default=None, max_length=20)


class ReviewBody(Body):
    """Which results, what was found, and the signature."""

    result_ids: tuple[RowId, ...] = Field(min_length=1, max_length=200)
    outcome: ReviewOutcome = ReviewOutcome.ACCEPTED
    comment: str = Field(default="", max_length=1000)
    credentials: Credentials


class ApprovalBody(Body):
    """The signature."""

    credentials: Credentials


class SampleFile(BaseModel):
    """A sample with its results."""

    sample: SampleView
    results: tuple[ResultView, ...]


class Kept(BaseModel):
    """A file that is kept."""

    sha256: str
    size: int


def _sample(ask: Any, number: str) -> SampleFile:
    sample, results = ask(sample_file, number)
    return SampleFile(sample=sample, results=results)


@router.get("/tests", tags=["catalogues"])
def list_tests(ask: Any = asking()) -> list[Test]:
    """The test catalogue."""
    return ask(lambda _session: list(TESTS.values()))  # type: ignore[no-any-return]


@router.get("/methods")
def list_methods(ask: Any = asking()) -> list[MethodView]:
    """All methods, every revision."""
    return ask(methods)  # type: ignore[no-any-return]


@router.post("/methods", status_code=201)
def new_method(body: DefineMethod, act: Any = acting(define_method)) -> MethodView:
    """Define a method, or its next revision."""
    return MethodView.model_validate(act(body))


@router.get("/specifications")
def list_specifications(ask: Any = asking()) -> list[SpecificationView]:
    """All specifications, every revision."""
    return ask(specifications)  # type: ignore[no-any-return]


@router.post("/specifications", status_code=201)
def new_specification(
    body: DraftSpecification, act: Any = acting(draft_specification), ask: Any = asking()
) -> SpecificationView:
    """Draft a specification, or its next revision."""
    drafted = act(body)
    return ask(specification_file, drafted.code, drafted.revision)  # type: ignore[no-any-return]


@router.post("/specifications/{code}/{revision}/approval", responses=answers(404))
def approval(
    code: str, revision: RowId, body: ApprovalBody, act: Any = acting(approve_specification), ask: Any = asking()
) -> SpecificationView:
    """Approve a specification with a signature; nobody approves what they drafted."""
    act(ApproveSpecification(code=code, revision=revision, credentials=body.credentials))
    return ask(specification_file, code, revision)  # type: ignore[no-any-return]


@router.post("/lots/{lot_number}/samples", status_code=201, responses=answers(404))
def new_sample(lot_number: str, body: SampleBody, act: Any = acting(draw_sample), ask: Any = asking()) -> SampleFile:
    """Draw a sample; the quantity comes off the lot."""
    sample = act(DrawSample(lot_number=lot_number, **body.model_dump(exclude={"quantity"}), quantity=body.quantity))
    return _sample(ask, sample.number)


@router.get("/samples/{sample_number}", responses=answers(404))
def get_sample(sample_number: str, ask: Any = asking()) -> SampleFile:
    """A sample with every result that counts."""
    return _sample(ask, sample_number)


@router.post("/samples/{sample_number}/results", status_code=201, responses=answers(404))
def new_result(
    sample_number: str, body: ResultBody, act: Any = acting(enter_result), ask: Any = asking()
) -> SampleFile:
    """Enter a result; what can be derived from it is derived at once."""
    act(EnterResult(sample_number=sample_number, **body.model_dump()))
    return _sample(ask, sample_number)


@router.post("/results/{result_id}/correction", status_code=201, responses=answers(404))
def correction(result_id: RowId, body: CorrectionBody, act: Any = acting(correct_result)) -> dict[str, int]:
    """Replace a result; the old one stays on record."""
    return {"result_id": act(CorrectResult(result_id=result_id, **body.model_dump())).id}


def _bytes(file: UploadFile) -> bytes:
    data = file.file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Invalid(Reason("file-too-large", "a file has at most 20 MB", "file"))
    return data


@router.post("/samples/{sample_number}/nanosight", status_code=201, responses=answers(404))
def nanosight(
    sample_number: str,
    file: UploadFile = File(description="NTA …-ExperimentSummary.csv, software 3.x"),
    concentration_method: str = Form(description="method code for PART-CONC"),
    size_method: str = Form(description="method code for SIZE-DIST"),
    dilution: str | None = Form(default=None, description="only if the file does not record it"),
    measured_at: AwareDatetime | None = Form(default=None, description="only if the file carries no time"),
    comment: str = Form(default=""),
    reason: str = Form(default="", description="only if the sample has NTA results already"),
    concentration_run: str | None = Form(default=None, description="run of the concentration method"),
    size_run: str | None = Form(default=None, description="run of the size method"),
    oos_number: str | None = Form(default=None, description="investigation whose planned retest this is"),
    act: Any = acting(import_nanosight),
) -> dict[str, list[int]]:
    """Import a NanoSight summary: concentration, size distribution, and all that derives from them."""
    command = ImportNanoSight(
        sample_number=sample_number,
        file_name=file.filename or "unnamed",
        data=_bytes(file),
        concentration_method=concentration_method,
        size_method=size_method,
        dilution=dilution or None,
        measured_at=measured_at,
        comment=comment,
        reason=reason,
        concentration_run=concentration_run or None,
        size_run=size_run or None,
        oos_number=oos_number or None,
    )
    return {"result_ids": [result.id for result in act(command)]}


@router.post("/samples/{sample_number}/reviews", status_code=201, responses=answers(404))
def review(sample_number: str, body: ReviewBody, act: Any = acting(review_results), ask: Any = asking()) -> SampleFile:
    """Review results of a sample, with one signature; nobody reviews their own."""
    act(
        ReviewResults(
            sample_number=sample_number, credentials=body.credentials, **body.model_dump(exclude={"credentials"})
        )
    )
    return _sample(ask, sample_number)


@router.post("/documents", status_code=201)
def upload(file: UploadFile, act: Any = acting(keep_file)) -> Kept:
    """Keep a raw file; its SHA-256 can then be named by results."""
    data = _bytes(file)
    sha256 = act(
        KeepFile(name=file.filename or "unnamed", media_type=file.content_type or "application/octet-stream", data=data)
    )
    return Kept(sha256=sha256, size=len(data))


@router.get("/documents/{sha256}", response_class=Response, responses=answers(404))
def download(sha256: str, request: Request, ask: Any = asking(Permission.READ_RECORDS)) -> Response:
    """A raw file, checked against its digest."""
    facts = ask(document_facts, sha256)
    data = site_of(request).documents.get(sha256)
    headers = {"Content-Disposition": f'attachment; filename="{sha256[:16]}"', "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type=facts.media_type, headers=headers)
