"""The laboratory: samples, results, files of instruments, reviews, methods."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session, select

from api.web.forms import Amount, Field, Group, Rows, Sheet, Typed, offer, options, signature
from api.web.lists import MethodRow, method_coded, methods
from api.web.lots import olds_of, plot_of, unit_options, verdict_of
from api.web.pages import Reader, Visit, page, unit_word
from api.web.words import capital, spelled
from domain.disposition.queries import LotFile, ResultView, SampleView, lot_file, sample_file
from domain.documents import Document
from domain.errors import NotFound, Reason
from domain.instruments.imports import ImportNanoSight, import_nanosight
from domain.laboratory.catalogue import TESTS
from domain.laboratory.defining import DefineMethod, define_method
from domain.laboratory.methods import ApproveMethod, CheckKind, approve_method
from domain.laboratory.models import Result, ReviewOutcome, Sample, Validation
from domain.laboratory.reportable import Rule
from domain.laboratory.results import CorrectResult, EnterResult, correct_result, enter_result
from domain.laboratory.reviewing import ReviewResults, review_results
from domain.laboratory.run_queries import open_runs
from domain.laboratory.samples import DrawSample, draw_sample
from domain.laboratory.sampling_queries import sample_control
from domain.laboratory.values import describe_term
from domain.laboratory.verdict import CriterionKind
from domain.lots.queries import LotRow
from domain.permissions import Permission
from domain.quantities import units_like
from reports.wording import at_site

router = APIRouter(include_in_schema=False)


def _word(code: str) -> str:
    return capital(spelled(code))


def _lot(visit: Visit, number: str) -> LotFile:
    now = visit.site.clock()
    return visit.ask(lot_file, number, now, visit.site.today(now), visit.who)  # type: ignore[no-any-return]


def _sample_sheet(visit: Visit) -> Sheet:
    lot: LotRow = _lot(visit, str(visit.request.path_params["lot_number"])).lot
    units = unit_options((lot.unit, *(one for one in units_like(lot.unit) if one != lot.unit)), empty=False)
    left = "–" if lot.quantity_left is None else f"{lot.quantity_left:f} {unit_word(lot.unit)}"
    return Sheet(
        f"Draw a sample of lot {lot.lot_number}",
        (
            Group(
                "Sample",
                (
                    Amount("quantity", "Quantity", units, hint="Comes off the lot.", unit=lot.unit),
                    Field("purpose", "Purpose", value="release"),
                    Field(
                        "taken_at",
                        "Taken",
                        "time",
                        needed=False,
                        hint=f"{visit.site.profile.time_zone} time; now, if left empty.",
                    ),
                    Field("comment", "Comment", "area", needed=False),
                ),
            ),
        ),
        "Record the sample",
        "The first sample of a drug product fixes the specification it is judged against.",
        (f"/lots/{lot.lot_number}", f"Lot {lot.lot_number}"),
        facts=(("Lot", lot.lot_number), ("Kind", _word(lot.kind)), ("Left", left)),
    )


offer(
    router,
    "/lots/{lot_number}/samples/new",
    draw_sample,
    DrawSample,
    _sample_sheet,
    lambda _visit, sample: (f"/samples/{sample.number}", f"Sample {sample.number} is recorded."),
    lambda visit, _typed: {"lot_number": visit.request.path_params["lot_number"]},
)


def _number(visit: Visit) -> str:
    return str(visit.request.path_params["number"])


@router.get("/samples/{number}")
def sample_page(number: str, visit: Reader) -> Response:
    """A sample: what was found, and what can be entered."""
    sample, results = visit.ask(sample_file, number)
    file = _lot(visit, sample.lot_number)
    found = {one.test_code for one in results}
    wanted = [line for line in file.lines if line.test_code not in found and TESTS[line.test_code].derived is None]
    known = visit.ask(methods)
    by_test: dict[str, list[MethodRow]] = {}
    for method in known:
        by_test.setdefault(method.test_code, []).append(method)
    return page(
        visit,
        "sample.html",
        sample=sample,
        results=results,
        file=file,
        olds=olds_of(file),
        wanted=wanted,
        by_test=by_test,
        others=[one for one in known if one.test_code not in {line.test_code for line in file.lines} | found],
        may_enter=visit.may(Permission.ENTER_RESULT),
        may_import=visit.may(Permission.IMPORT_RESULT),
        may_review=visit.may(Permission.REVIEW_RESULT),
        unreviewed=[one for one in results if one.outcome is None],
        control=visit.ask(sample_control, number),
        derived={code for code, test in TESTS.items() if test.derived},
    )


def value_fields(method: MethodRow, values: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """One field a replicate; words are chosen from the list of the test."""
    count = max(method.replicates, len(values))
    given = (*values, *[""] * (count - len(values)))
    label = "Result" if count == 1 else "Replicate {place}"
    hint = "" if method.terms else "As read, such as 7.40 or <0.05."
    return tuple(
        Field(
            f"replicates.{place}",
            label.format(place=place),
            "select" if method.terms else "text" if method.result == "text" else "number",
            hint if place == 1 else "",
            unit=unit_word(method.unit),
            options=options(method.terms, lambda term: describe_term(term)[0]) if method.terms else (),
            value=value,
        )
        for place, value in enumerate(given, 1)
    )


def time_fields(visit: Visit, started: str = "", finished: str = "") -> tuple[Field, ...]:
    zone = visit.site.profile.time_zone
    return (
        Field("started_at", "Started", "time", hint=f"{zone} time. Sterility: the inoculation.", value=started),
        Field("finished_at", "Finished", "time", hint=f"{zone} time. When it was read for good.", value=finished),
        Field("comment", "Comment", "area", needed=False),
    )


def method_facts(method: MethodRow) -> tuple[tuple[str, str], ...]:
    facts = [
        ("Test", f"{method.test_name} ({method.test_code})"),
        ("Method", f"{method.code} v{method.revision}"),
        ("Principle", method.principle),
    ]
    if method.replicates > 1:
        facts.append(
            ("Reported as", f"{method.rule.replace('_', ' ')} of {method.replicates} replicates, no more and no fewer")
        )
    for word, limit in (("LOD", method.lod), ("LOQ", method.loq)):
        if limit is not None:
            facts.append((word, f"{limit} {unit_word(method.unit)}"))
    if method.minimum_days:
        facts.append(("Final after", f"{method.minimum_days} days, except growth"))
    return tuple(facts)


def _result_sheet(visit: Visit) -> Sheet:
    sample, _ = visit.ask(sample_file, _number(visit))
    method: MethodRow = visit.ask(method_coded, str(visit.request.path_params["method"]))
    known = tuple((one, one) for one in visit.ask(open_runs, method.code))
    how = (
        Field("run_number", "Run", "select", options=(("", "None"), *known), needed=method.run_required),
        Field(
            "dilution",
            "Dilution factor",
            "number",
            needed=method.linear_high is not None,
            hint="1 if undiluted; the values are as read.",
        ),
        Field("instrument", "Instrument", needed=False, hint="That of the run, if left empty."),
    )
    return Sheet(
        f"{method.test_name}: enter the result",
        (Group("What was found", value_fields(method)), Group("How", how), Group("When", time_fields(visit))),
        "Record the result",
        "Every replicate as it was read. The reportable value follows from them by the method’s rule.",
        (f"/samples/{sample.number}", f"Sample {sample.number}"),
        facts=(("Sample", f"{sample.number} of lot {sample.lot_number}"), *method_facts(method)),
    )


def _result_fix(visit: Visit, _typed: Typed) -> dict[str, Any]:
    method: MethodRow = visit.ask(method_coded, str(visit.request.path_params["method"]))
    return {"sample_number": _number(visit), "method_code": method.code, "unit": method.unit} | replicates_of(_typed)


def replicates_of(typed: Typed) -> dict[str, Any]:
    """Every replicate in its place, blank ones too: a gap is an error, never one replicate fewer."""
    return {"replicates": tuple(typed.get(f"replicates.{place}").strip() for place in typed.places("replicates"))}


offer(
    router,
    "/samples/{number}/results/{method}",
    enter_result,
    EnterResult,
    _result_sheet,
    lambda visit, result: (f"/samples/{_number(visit)}", f"{result.test_code}: recorded, waiting for review."),
    _result_fix,
)


def _result_of(session: Session, result_id: int) -> tuple[SampleView, ResultView]:
    number = session.exec(select(Sample.number).join(Result).where(Result.id == result_id)).first()
    if number is not None:
        sample, results = sample_file(session, number)
        if found := next((one for one in results if one.id == result_id), None):
            return sample, found
    raise NotFound(Reason("result-not-found", f"there is no result {result_id} that counts"))


def _correct_sheet(visit: Visit) -> Sheet:
    sample, old = visit.ask(_result_of, _id(visit))
    method = _method_of(visit, old)
    zone = visit.site.profile.time_zone
    started, finished = (f"{at_site(at, zone):%Y-%m-%dT%H:%M}" for at in (old.started_at, old.finished_at))
    reason = Field("reason", "Why it is corrected", "area", hint="Stands beside both values for ever.")
    return Sheet(
        f"Correct {old.test_name}",
        (
            Group("What was found", value_fields(method, old.replicates)),
            Group("When", time_fields(visit, started, finished)),
            Group("Reason", (reason,)),
        ),
        "Record the correction",
        "The old result stays on record; the new one needs a review of its own.",
        (f"/samples/{sample.number}", f"Sample {sample.number}"),
        facts=(("Recorded result", old.value_en), ("By", old.analyst), *method_facts(method)),
    )


def _id(visit: Visit) -> int:
    return int(visit.request.path_params["result_id"])


def _method_of(visit: Visit, result: ResultView) -> MethodRow:
    return visit.ask(method_coded, result.method.rpartition(" v")[0])  # type: ignore[no-any-return]


def _correct_fix(visit: Visit, typed: Typed) -> dict[str, Any]:
    _, old = visit.ask(_result_of, _id(visit))
    return {"result_id": old.id, "unit": TESTS[old.test_code].unit} | replicates_of(typed)


offer(
    router,
    "/results/{result_id}/correct",
    correct_result,
    CorrectResult,
    _correct_sheet,
    lambda visit, result: (f"/lots/{visit.ask(_result_of, result.id)[0].lot_number}", "The correction is recorded."),
    _correct_fix,
)


def _import_sheet(visit: Visit) -> Sheet:
    sample, results = visit.ask(sample_file, _number(visit))
    known = visit.ask(methods)

    def of(test: str) -> tuple[tuple[str, str], ...]:
        found = [(one.code, f"{one.code} v{one.revision} · {one.name}") for one in known if one.test_code == test]
        return tuple(found) if len(found) == 1 else (("", "Choose …"), *found)

    def runs(test: str) -> tuple[tuple[str, str], ...]:
        codes = {one.code for one in known if one.test_code == test}
        return ("", "None"), *((run, run) for code in sorted(codes) for run in visit.ask(open_runs, code))

    again = any(one.test_code in ("PART-CONC", "SIZE-DIST") for one in results)
    return Sheet(
        f"Import an NTA file into sample {sample.number}",
        (
            Group(
                "File",
                (
                    Field(
                        "file",
                        "NanoSight ExperimentSummary",
                        "file",
                        hint="The .csv as the instrument wrote it; it is kept byte for byte.",
                    ),
                ),
            ),
            Group(
                "Methods",
                (
                    Field(
                        "concentration_method",
                        "Method for the particle concentration",
                        "select",
                        options=of("PART-CONC"),
                    ),
                    Field("size_method", "Method for the size distribution", "select", options=of("SIZE-DIST")),
                ),
            ),
            Group(
                "Run and retest",
                (
                    Field(
                        "concentration_run",
                        "Run of the concentration",
                        "select",
                        options=runs("PART-CONC"),
                        needed=False,
                    ),
                    Field(
                        "size_run", "Run of the size distribution", "select", options=runs("SIZE-DIST"), needed=False
                    ),
                    Field(
                        "oos_number",
                        "Planned retest of",
                        needed=False,
                        hint="Number of the investigation; only the figure that it is about is then recorded.",
                    ),
                ),
            ),
            Group(
                "Only if the file does not say",
                (
                    Field("dilution", "Dilution factor", "number", needed=False, hint="1 if undiluted."),
                    Field(
                        "measured_at", "Measured", "time", needed=False, hint=f"{visit.site.profile.time_zone} time."
                    ),
                    Field("comment", "Comment", "area", needed=False),
                    Field("reason", "Why it replaces the results that are there", "area", needed=again),
                ),
            ),
        ),
        "Import",
        "Particle concentration and size distribution are recorded, with all that derives from them.",
        (f"/samples/{sample.number}", f"Sample {sample.number}"),
        facts=(("Sample", sample.number), ("Lot", sample.lot_number)),
    )


def _import_fix(visit: Visit, typed: Typed) -> dict[str, Any]:
    name, data = typed.files.get("file", ("", b""))
    return {"sample_number": _number(visit)} | ({"file_name": name[-200:], "data": data} if name else {})


offer(
    router,
    "/samples/{number}/import",
    import_nanosight,
    ImportNanoSight,
    _import_sheet,
    lambda visit, results: (
        f"/samples/{_number(visit)}",
        f"The file is imported: {'one result' if len(results) == 1 else f'{len(results)} results'}, and what derives from them.",
    ),
    _import_fix,
)


def _measured_here(file: LotFile, sample_number: str) -> bool:
    """Whether the lot's size distribution is of this sample."""
    found = [one for line in file.lines for one in line.results] + list(file.other_results)
    return [one.sample_number for one in found if one.test_code == "SIZE-DIST"][-1:] == [sample_number]


def _review_sheet(visit: Visit) -> Sheet:
    sample, results = visit.ask(sample_file, _number(visit))
    file = _lot(visit, sample.lot_number)
    waiting = [one for one in results if one.outcome is None]
    line_of = {one.id: line for line in file.lines for one in line.results}
    outcomes = (
        (str(ReviewOutcome.ACCEPTED), "Accepted: the results follow from the raw data"),
        (str(ReviewOutcome.REFUSED), "Refused: they must be corrected"),
    )
    return Sheet(
        f"Review the results of sample {sample.number}",
        (
            Group(
                "Results that nobody has reviewed",
                (Field("result_ids[]", "Results you looked at", "checks", template="review_results.html"),),
                "Tick those that you compared with their raw data.",
            ),
            Group(
                "Your review",
                (
                    Field("outcome", "Outcome", "select", options=(("", "Choose …"), *outcomes)),
                    Field("comment", "Comment", "area", needed=False, hint="Needed when you refuse."),
                ),
            ),
            signature("One signature covers every result that is ticked."),
        ),
        "Sign the review",
        "A second person compares each result with its raw data (21 CFR 211.194(a)(8)). Nobody reviews their own.",
        (f"/samples/{sample.number}", f"Sample {sample.number}"),
        context={
            "results": [(one, line_of.get(one.id)) for one in waiting],
            "olds": olds_of(file),
            "verdict_of": verdict_of,
            "plot": plot_of(file) if _measured_here(file, sample.number) else "",
            "width": "",
        },
    )


offer(
    router,
    "/samples/{number}/review",
    review_results,
    ReviewResults,
    _review_sheet,
    lambda visit, reviews: (f"/samples/{_number(visit)}", f"{len(reviews)} results are reviewed and signed."),
    lambda visit, _typed: {"sample_number": _number(visit)},
)


@router.get("/documents/{sha256}")
def document(sha256: str, visit: Reader) -> Response:
    """A raw file, as it came, under its own name; never shown inside a page."""
    known = visit.ask(_document, sha256)
    name = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._- ") else "_" for sign in known.name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache"}
    return Response(visit.site.documents.get(sha256), media_type="application/octet-stream", headers=headers)


def _document(session: Session, sha256: str) -> Document:
    if found := session.exec(select(Document).where(Document.sha256 == sha256)).first():
        return found
    raise NotFound(Reason("document-not-found", "there is no such file"))


@router.get("/methods")
def method_list(visit: Reader) -> Response:
    """Every method in its newest revision."""
    return page(visit, "methods.html", found=visit.ask(methods), may_define=visit.may(Permission.DEFINE_METHOD))


_CRITERIA = tuple(one for one in CriterionKind if one is not CriterionKind.REPORT_ONLY)
_CHECKS = (
    Field("name", "Check", needed=False, hint="Such as spike recovery."),
    Field("check", "Kind", "select", options=options(CheckKind, _word), needed=False),
    Field("kind", "Criterion", "select", options=options(_CRITERIA, _word), needed=False),
    Field("lower", "At least", "number", needed=False),
    Field("upper", "At most", "number", needed=False),
    Field("unit", "Unit", needed=False, hint="UCUM, such as %; 1 for a ratio."),
    Field("allowed", "Passing words", needed=False, hint="Separated by commas."),
)


def _method_sheet(_visit: Visit) -> Sheet:
    measured = [
        (code, f"{test.name_en} ({code}{', ' + unit_word(test.unit) if unit_word(test.unit) else ''})")
        for code, test in TESTS.items()
        if test.derived is None
    ]
    return Sheet(
        "Define a method",
        (
            Group(
                "Method",
                (
                    Field(
                        "code", "Code", "code", hint="Such as SOP-QC-041; the same code again makes the next revision."
                    ),
                    Field("test_code", "Test", "select", options=(("", "Choose …"), *measured)),
                    Field("name", "Name"),
                    Field("principle", "Principle", hint="Such as Nanoparticle tracking analysis (NTA)."),
                    Field("instrument", "Instrument", needed=False),
                    Field("instrument_class", "Class of instrument", needed=False),
                    Field("reference", "Reference", needed=False, hint="Such as USP <85>."),
                ),
            ),
            Group(
                "Figures",
                (
                    Field("lod", "LOD", "number", needed=False, hint="In the unit of the test."),
                    Field("loq", "LOQ", "number", needed=False, hint="In the unit of the test."),
                    Field(
                        "replicates",
                        "Replicates",
                        "number",
                        needed=False,
                        hint="The catalogue’s number, if left empty.",
                    ),
                    Field(
                        "rule",
                        "Reported value",
                        "select",
                        needed=False,
                        options=options(Rule, _word, empty="As in the catalogue"),
                    ),
                    Field(
                        "minimum_days",
                        "Final after",
                        "number",
                        unit="days",
                        needed=False,
                        hint="Never fewer than the catalogue’s.",
                    ),
                    Field(
                        "linear_low",
                        "Linear from",
                        "number",
                        needed=False,
                        hint="What the instrument can read, undiluted.",
                    ),
                    Field("linear_high", "Linear to", "number", needed=False),
                    Field(
                        "read_every_days",
                        "Inoculated, and read every",
                        "number",
                        unit="days",
                        needed=False,
                        hint="Only for slow tests.",
                    ),
                ),
            ),
            Group(
                "Validation",
                (
                    Field(
                        "validation",
                        "Status",
                        "select",
                        needed=False,
                        options=options(Validation, _word, empty="Not stated"),
                    ),
                    Field(
                        "validated_for",
                        "Validated for",
                        needed=False,
                        hint="Product codes and kinds of lots, separated by commas.",
                    ),
                ),
            ),
            Group(
                "Checks of a run",
                (Rows("suitability", _CHECKS, least=2, more="Add a check"),),
                "With any of these a result must name its run, and counts only if all of them pass.",
            ),
            Group(
                "What it cannot see",
                (
                    Field("limitation_en", "In English", "area", needed=False, hint="Printed on certificates."),
                    Field("limitation_de", "In German", "area", needed=False),
                ),
            ),
        ),
        "Define the method",
        back=("/methods", "Methods"),
    )


def _words_split(_visit: Visit, typed: Typed) -> dict[str, Any]:
    """Words separated by commas become lists."""
    for name in ("validated_for", *(f"suitability.{place}.allowed" for place in typed.places("suitability"))):
        if words := [word.strip() for word in typed.get(name).split(",") if word.strip()]:
            typed.values[f"{name}[]"] = words
        typed.values.setdefault(name, [""])
    return {}


offer(
    router,
    "/methods/new",
    define_method,
    DefineMethod,
    _method_sheet,
    lambda _visit, method: ("/methods", f"Method {method.label} is defined."),
    _words_split,
)


def _approval(visit: Visit) -> Sheet:
    method: MethodRow = visit.ask(method_coded, str(visit.request.path_params["code"]))
    return Sheet(
        f"Approve {method.code} v{method.revision}",
        (signature("You approve exactly this revision."),),
        "Approve",
        "Controlled specifications name approved methods only.",
        ("/methods", "Methods"),
        facts=(*method_facts(method), *((("Validation", _word(method.validation)),) if method.validation else ())),
    )


offer(
    router,
    "/methods/{code}/{revision}/approve",
    approve_method,
    ApproveMethod,
    _approval,
    lambda _visit, _approved: ("/methods", "The method is approved and signed."),
    lambda visit, _typed: {
        "code": str(visit.request.path_params["code"]),
        "revision": int(visit.request.path_params["revision"]),
    },
)
