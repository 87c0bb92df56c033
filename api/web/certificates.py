"""Certificates at the workplace: their revisions, the acts on them, the register of numbers, and the statements they print."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.web.forms import Field, Group, Sheet, offer, options, signature
from api.web.pages import Reader, Visit, page
from domain.certificates.history import history_of, register
from domain.certificates.statements import (
    DecideStatement,
    DraftStatement,
    RejectStatement,
    approve_statement,
    draft_statement,
    reject_statement,
    retire_statement,
    statements,
)
from domain.certificates.words import REVISION_CAUSES, RevisionCause
from domain.disposition.certificates import (
    ReviseCertificate,
    WithdrawCertificate,
    draft,
    revise_certificate,
    withdraw_certificate,
)
from domain.lots.queries import products
from domain.permissions import Permission

router = APIRouter(include_in_schema=False)


@router.get("/lots/{lot_number}/certificate-draft.pdf")
def preview(lot_number: str, visit: Reader, specification: str | None = None) -> Response:
    """A lot's certificate as it would be now: with a watermark, without a number. specification: code of the one it is for, of several."""
    pdf = visit.site.print_certificate.draw(visit.ask(draft, visit.site, lot_number, specification))
    return Response(pdf, media_type="application/pdf", headers={"Cache-Control": "no-store"})


@router.get("/register")
def numbers(visit: Reader, before: str | None = None) -> Response:
    """Every number that was taken, newest first."""
    return page(visit, "register.html", found=visit.ask(register, before))


@router.get("/certificates/{number}")
def one(number: str, visit: Reader) -> Response:
    """A certificate's revisions and what can be done."""
    found = visit.ask(history_of, number)
    return page(visit, "certificate.html", found=found, may=visit.may(Permission.RELEASE_LOT), causes=REVISION_CAUSES)


def _number(visit: Visit, *_typed: Any) -> dict[str, str]:
    return {"certificate_number": str(visit.request.path_params["number"])}


def _back(visit: Visit) -> tuple[str, str]:
    number = _number(visit)["certificate_number"]
    return f"/certificates/{number}", number


def _facts(visit: Visit) -> tuple[tuple[str, str], ...]:
    found = visit.ask(history_of, _number(visit)["certificate_number"])
    newest = found.revisions[0]
    return (("Lot", found.lot_number), ("Newest revision", f"{newest.revision}, {newest.standing}"))


def _revision(visit: Visit) -> Sheet:
    number = _number(visit)["certificate_number"]
    causes = options(RevisionCause, lambda code: REVISION_CAUSES[RevisionCause(code)].en)
    return Sheet(
        f"Revise certificate {number}",
        (
            Group(
                "Revision",
                (
                    Field(
                        "cause",
                        "Cause",
                        "select",
                        options=causes,
                        hint="Printed on the certificate and shown in public.",
                    ),
                    Field("reason", "Reason", "area", hint="Stays in the records: for inspectors, not for the public."),
                ),
            ),
            signature(),
        ),
        "Issue the revision",
        "The certificate is made anew from the records as they are now. The number stays; the revision before is superseded.",
        _back(visit),
        facts=_facts(visit),
    )


offer(
    router,
    "/certificates/{number}/revise",
    revise_certificate,
    ReviseCertificate,
    _revision,
    lambda visit, made: (_back(visit)[0], f"Revision {made.revision} is issued and signed."),
    _number,
)


def _withdrawal(visit: Visit) -> Sheet:
    return Sheet(
        f"Withdraw certificate {_number(visit)['certificate_number']}",
        (
            Group(
                "Withdrawal",
                (
                    Field(
                        "reason",
                        "Reason",
                        "area",
                        hint="Stays in the records; the public page says only that it is withdrawn.",
                    ),
                ),
            ),
            signature(),
        ),
        "Withdraw the certificate",
        "From the next look-up on the certificate counts no longer. The public log says so for ever. To put the lot itself on hold or recall it"
        " is another decision.",
        _back(visit),
        "grave",
        facts=_facts(visit),
    )


offer(
    router,
    "/certificates/{number}/withdraw",
    withdraw_certificate,
    WithdrawCertificate,
    _withdrawal,
    lambda visit, _made: (_back(visit)[0], "The certificate is withdrawn; the look-up says so."),
    _number,
)


@router.get("/statements")
def listed(visit: Reader) -> Response:
    """Every revision of every statement."""
    return page(
        visit,
        "statements.html",
        found=visit.ask(statements),
        may_draft=visit.may(Permission.DRAFT_SPECIFICATION),
        may_decide=visit.may(Permission.APPROVE_SPECIFICATION),
    )


def _draft(visit: Visit) -> Sheet:
    coded = tuple((product.code, f"{product.code} · {product.name_en}") for product in visit.ask(products))
    return Sheet(
        "Draft a statement",
        (
            Group(
                "Statement",
                (
                    Field(
                        "code",
                        "Code",
                        "code",
                        hint="Such as ST-COLD-CHAIN; the same code again makes the next revision.",
                    ),
                    Field("text_en", "In English", "area"),
                    Field("text_de", "In German", "area"),
                    Field("product_code", "Product", "select", options=(("", "All products"), *coded), needed=False),
                ),
                "Nothing that claims approval, safety or effect is taken.",
            ),
        ),
        "Draft it",
        "Certificates print it once QA approves it; nobody approves their own.",
        ("/statements", "Statements"),
    )


offer(
    router,
    "/statements/new",
    draft_statement,
    DraftStatement,
    _draft,
    lambda _visit, made: ("/statements", f"{made.label} is drafted and waits for approval."),
)


def _place(visit: Visit, *_typed: Any) -> dict[str, Any]:
    return {"code": str(visit.request.path_params["code"]), "revision": int(visit.request.path_params["revision"])}


def _decision(visit: Visit, title: str, button: str, lead: str, *groups: Group) -> Sheet:
    place = _place(visit)
    found = next((one for one in visit.ask(statements) if (one.code, one.revision) == tuple(place.values())), None)
    facts = (("English", found.text_en), ("German", found.text_de), ("Drafted by", found.drafted_by)) if found else ()
    label = f"{place['code']} v{place['revision']}"
    return Sheet(f"{title} {label}", (*groups, signature()), button, lead, ("/statements", "Statements"), facts=facts)


offer(
    router,
    "/statements/{code}/{revision}/approve",
    approve_statement,
    DecideStatement,
    lambda visit: _decision(visit, "Approve", "Approve", "Every further certificate of its products prints it."),
    lambda _visit, _made: ("/statements", "The statement is approved and signed."),
    _place,
)
offer(
    router,
    "/statements/{code}/{revision}/reject",
    reject_statement,
    RejectStatement,
    lambda visit: _decision(
        visit,
        "Reject",
        "Reject",
        "It will never be printed; the same code may be drafted again.",
        Group("Rejection", (Field("reason", "Reason", "area", hint="For whoever drafted it."),)),
    ),
    lambda _visit, _made: ("/statements", "The draft is rejected and signed."),
    _place,
)
offer(
    router,
    "/statements/{code}/{revision}/retire",
    retire_statement,
    DecideStatement,
    lambda visit: _decision(visit, "Retire", "Retire", "No further certificate prints it; those that did stay."),
    lambda _visit, _made: ("/statements", "The statement is retired."),
    _place,
)
