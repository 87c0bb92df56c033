"""What a reader of a certificate should know of the lot beside its results: investigated, repeated and invalid tests, corrections,
holds, deviations.

The words are fixed: what a person typed as a reason may name people, and stays in the laboratory's records under the reference given.
"""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from domain.certificates.content import Investigation, Words
from domain.deviations.models import Deviation, DeviationLot, Severity
from domain.laboratory.catalogue import test as catalogue_test
from domain.laboratory.models import Result
from domain.laboratory.oos_models import Oos, OosConclusion, OosResult, Outcome
from domain.laboratory.queries import LotResults
from domain.laboratory.values import VOCABULARY, NotReportable, Qualitative, load_value
from domain.lots.genealogy import ancestor_ids
from domain.lots.models import Lot, LotMove
from domain.work import Site


def investigations(session: Session, site: Site, lot: Lot, results: LotResults) -> tuple[Investigation, ...]:
    """All of a lot, oldest first by day (WHO TRS 1010 Annex 4; domain.md 4.1: deviations, OOS and retests by number)."""
    found = [
        *_out_of_specification(session, site, lot),
        *_corrected(site, results),
        *_repeated(site, results),
        *_holds(session, site, lot),
        *_deviations(session, site, lot),
    ]
    return tuple(sorted(found, key=lambda one: (one.on, one.kind, one.reference)))


#: What an investigation of a result ended with; one that confirmed it has no certificate, and one that is open stands in a draft only.
_ENDED: dict[Outcome | None, Words] = {
    None: Words(en="investigation open", de="Untersuchung offen"),
    Outcome.CONFIRMED: Words(en="confirmed", de="bestätigt"),
    Outcome.LABORATORY_ERROR: Words(
        en="laboratory error with an assignable cause; the result does not count",
        de="Laborfehler mit zuordenbarer Ursache; das Ergebnis zählt nicht",
    ),
    Outcome.NOT_CONFIRMED: Words(
        en="not confirmed by the retests planned beforehand; all results are on record",
        de="durch die vorab geplanten Wiederholungsprüfungen nicht bestätigt; alle Ergebnisse sind aktenkundig",
    ),
}
_SEVERITIES = {
    Severity.MINOR: Words(en="Deviation, minor", de="Abweichung, gering"),
    Severity.MAJOR: Words(en="Deviation, major", de="Abweichung, schwerwiegend"),
    Severity.CRITICAL: Words(en="Deviation, critical", de="Abweichung, kritisch"),
}


def _out_of_specification(session: Session, site: Site, lot: Lot) -> Iterator[Investigation]:
    rows = session.exec(
        select(Oos, OosConclusion.outcome).outerjoin(OosConclusion).where(Oos.lot_id == lot.id).order_by(col(Oos.id))
    )
    investigated = select(OosResult).join(Oos).where(Oos.lot_id == lot.id).order_by(col(OosResult.id))
    failed = [(one.oos_id, one.result_id) for one in session.exec(investigated)]
    for one, outcome in rows.all():
        test, ended = catalogue_test(one.test_code), _ENDED[Outcome(outcome) if outcome else None]
        results = ", ".join(f"result {result}" for oos, result in failed if oos == one.key)
        yield Investigation(
            kind="out_of_specification",
            reference=f"{one.number}: {results}",
            on=site.today(one.opened_at),
            words=Words(en=f"{test.name_en}: {ended.en}", de=f"{test.name_de}: {ended.de}"),
        )


def _deviations(session: Session, site: Site, lot: Lot) -> Iterator[Investigation]:
    """Of the lot and of all that it is made of, each once."""
    everything = [lot.key, *ancestor_ids(session, lot.key)]
    touching = select(DeviationLot.deviation_id).where(col(DeviationLot.lot_id).in_(everything))
    for one in session.exec(select(Deviation).where(col(Deviation.id).in_(touching)).order_by(col(Deviation.id))):
        yield Investigation(
            kind="deviation", reference=one.number, on=site.today(one.happened_at), words=_SEVERITIES[one.severity]
        )


def _corrected(site: Site, results: LotResults) -> Iterator[Investigation]:
    """Each result that was replaced: as an invalid test repeated, or as a correction. The earlier one stays on record."""
    newer = {
        result.replaces_id: result
        for result in (*(finding.result for finding in results.findings), *results.superseded)
        if result.replaces_id is not None
    }
    for old in results.superseded:
        if old.formula is not None:
            continue  # a calculation follows its inputs; the correction is theirs
        test, by = catalogue_test(old.test_code), newer[old.key]
        invalid = _invalid(old)
        en = (
            "test invalid and repeated; the invalid one does not count"
            if invalid
            else "result corrected, with the reason on record"
        )
        de = (
            "Prüfung ungültig und wiederholt; die ungültige zählt nicht"
            if invalid
            else "Ergebnis berichtigt, Grund aktenkundig"
        )
        yield Investigation(
            kind="invalid_test" if invalid else "corrected_result",
            reference=f"result {old.key}, now {by.key}",
            on=site.today(by.recorded_at),
            words=Words(en=f"{test.name_en}: {en}", de=f"{test.name_de}: {de}"),
        )


def _invalid(result: Result) -> bool:
    value = load_value(result.value)
    if isinstance(value, Qualitative) and value.term in VOCABULARY:
        return VOCABULARY[value.term].outcome == "invalid"
    return isinstance(value, NotReportable)


def _repeated(site: Site, results: LotResults) -> Iterator[Investigation]:
    """A test with several results (of several samples, or retests): none is averaged away, all are judged."""
    for line in results.lines:
        count = len(line.findings)
        if count < 2 or line.test.derived is not None:
            continue
        yield Investigation(
            kind="retest",
            reference=", ".join(f"result {finding.result.key}" for finding in line.findings),
            on=site.today(line.findings[-1].result.finished_at),
            words=Words(
                en=f"{line.test.name_en}: {count} results count, each judged by itself",
                de=f"{line.test.name_de}: {count} Ergebnisse zählen, jedes für sich bewertet",
            ),
        )


def _holds(session: Session, site: Site, lot: Lot) -> Iterator[Investigation]:
    moves = select(LotMove).where(LotMove.lot_id == lot.id, col(LotMove.action).in_(("hold", "lift")))
    for move in session.exec(moves.order_by(col(LotMove.id))):
        lifted = move.action == "lift"
        yield Investigation(
            kind="hold",
            reference=f"lot move {move.key}",
            on=site.today(move.moved_at),
            words=Words(
                en="Hold lifted by quality assurance" if lifted else "Put on hold",
                de="Sperre durch die Qualitätssicherung aufgehoben" if lifted else "Gesperrt",
            ),
        )
