"""Donors: a pseudonym, a panel, a decision; no name and no date of birth."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Field, Group, Rows, Sheet, offer, options, signature
from api.web.lists import donor_file, donors
from api.web.pages import Reader, Visit, page
from api.web.words import capital, spelled
from domain.disposition.cascade import decide_eligibility_and_hold, withdraw_consent_and_hold
from domain.manufacturing.donors import (
    DecideEligibility,
    RecordMarkers,
    RegisterDonor,
    WithdrawConsent,
    record_markers,
    register_donor,
)
from domain.manufacturing.models import MINIMUM_PANEL, ConsentScope, Eligibility, Marker, MarkerVerdict, Tissue
from domain.permissions import Permission

router = APIRouter(include_in_schema=False)


def _word(code: str) -> str:
    return capital(spelled(code))


@router.get("/donors")
def listed(visit: Reader) -> Response:
    """Donors, newest first."""
    return page(visit, "donors.html", found=visit.ask(donors), may_register=visit.may(Permission.REGISTER_DONOR))


def _register(_visit: Visit) -> Sheet:
    return Sheet(
        "Register a donor",
        (
            Group(
                "Donor",
                (
                    Field("pseudonym", "Pseudonym", "code", hint="A code such as D-2026-017; never a name."),
                    Field(
                        "age_years", "Age", "number", needed=False, unit="years", hint="Perinatal tissue: the mother’s."
                    ),
                    Field("tissue", "Tissue", "select", options=options(Tissue, _word)),
                    Field("tissue_text", "Which tissue", needed=False, hint="Only if it is another one."),
                ),
            ),
            Group(
                "Consent",
                (
                    Field("consent_id", "Number of the consent"),
                    Field("consent_version", "Version of the form"),
                    Field("consent_scope", "What the donor agreed to", "select", options=options(ConsentScope, _word)),
                ),
            ),
        ),
        "Register",
        "Nothing that names a person can be entered here.",
        ("/donors", "Donors"),
    )


offer(
    router,
    "/donors/new",
    register_donor,
    RegisterDonor,
    _register,
    lambda _visit, donor: (f"/donors/{donor.pseudonym}", f"Donor {donor.pseudonym} is registered."),
)


def _pseudonym(visit: Visit) -> str:
    return str(visit.request.path_params["pseudonym"])


@router.get("/donors/{pseudonym}")
def donor_page(pseudonym: str, visit: Reader) -> Response:
    """One donor."""
    return page(
        visit,
        "donor.html",
        donor=visit.ask(donor_file, pseudonym),
        minimum=MINIMUM_PANEL,
        may_register=visit.may(Permission.REGISTER_DONOR),
        may_decide=visit.may(Permission.DECIDE_ELIGIBILITY),
    )


def _markers(visit: Visit) -> Sheet:
    pseudonym = _pseudonym(visit)
    visit.ask(donor_file, pseudonym)
    columns = (
        Field("marker", "Marker", "hidden"),
        Field("verdict", "Result", "select", options=options(MarkerVerdict, _word, empty="Not reported")),
        Field("sampled_on", "Blood taken on", "date"),
    )
    rows = tuple(
        {"_label": _word(one) + (" (minimum panel)" if one in MINIMUM_PANEL else ""), "marker": str(one)}
        for one in Marker
    )
    return Sheet(
        f"Infection markers of {pseudonym}",
        (
            Group(
                "Laboratory", (Field("laboratory", "Laboratory", hint="Who tested, with the number of the report."),)
            ),
            Group(
                "Markers",
                (Rows("results", columns, least=len(rows), more="", presets=rows),),
                "Leave out what was not reported.",
            ),
        ),
        "Record the markers",
        back=(f"/donors/{pseudonym}", f"Donor {pseudonym}"),
    )


offer(
    router,
    "/donors/{pseudonym}/markers",
    record_markers,
    RecordMarkers,
    _markers,
    lambda visit, rows: (f"/donors/{_pseudonym(visit)}", f"{len(rows)} results are recorded."),
    lambda visit, _typed: {"pseudonym": _pseudonym(visit)},
)


def _decision(visit: Visit) -> Sheet:
    donor = visit.ask(donor_file, _pseudonym(visit))
    missing = [one for one in MINIMUM_PANEL if one not in {row.marker for row in donor.panel}]
    warnings = (f"The minimum panel lacks {', '.join(_word(one) for one in missing)}.",) if missing else ()
    return Sheet(
        f"Decide on donor {donor.pseudonym}",
        (
            Group(
                "Decision",
                (
                    Field("decision", "The donor is", "select", options=options(Eligibility, _word)),
                    Field(
                        "reason", "Reason", "area", hint="Also why a marker that is not negative was judged acceptable."
                    ),
                ),
            ),
            signature(),
        ),
        "Sign the decision",
        back=(f"/donors/{donor.pseudonym}", f"Donor {donor.pseudonym}"),
        warnings=warnings,
        facts=tuple((_word(row.marker), f"{_word(row.verdict)}, {row.sampled_on}") for row in donor.panel),
    )


offer(
    router,
    "/donors/{pseudonym}/eligibility",
    decide_eligibility_and_hold,
    DecideEligibility,
    _decision,
    lambda visit, _decided: (f"/donors/{_pseudonym(visit)}", "The decision is recorded and signed."),
    lambda visit, _typed: {"pseudonym": _pseudonym(visit)},
)


def _withdrawal(visit: Visit) -> Sheet:
    pseudonym = _pseudonym(visit)
    return Sheet(
        f"Donor {pseudonym} withdraws the consent",
        (
            Group(
                "Withdrawal", (Field("withdrawn_on", "Withdrawn on", "date"), Field("reason", "What was said", "area"))
            ),
        ),
        "Record the withdrawal",
        "Everything made of the donor’s cells is put on hold in the same act, and nothing more may be made of them. This cannot be undone.",
        (f"/donors/{pseudonym}", f"Donor {pseudonym}"),
        tone="grave",
    )


offer(
    router,
    "/donors/{pseudonym}/withdrawal",
    withdraw_consent_and_hold,
    WithdrawConsent,
    _withdrawal,
    lambda visit, _donor: (f"/donors/{_pseudonym(visit)}", "The withdrawal is recorded."),
    lambda visit, _typed: {"pseudonym": _pseudonym(visit)},
)
