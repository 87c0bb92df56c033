"""The words of the pages: what codes are called, apart from what they do."""

from enum import StrEnum
from typing import NamedTuple

from domain.lots.models import LotState
from domain.permissions import Permission, Role


class Shown(NamedTuple):
    """How a state or verdict is shown: never by colour alone."""

    word: str
    tone: str
    icon: str


STATES: dict[str, Shown] = {
    LotState.IN_PROCESS: Shown("In process", "calm", "clock"),
    LotState.QUARANTINE: Shown("Quarantine", "warn", "lock"),
    LotState.UNDER_TEST: Shown("Under test", "calm", "flask"),
    LotState.QA_REVIEW: Shown("With QA for decision", "calm", "eye"),
    LotState.RELEASED: Shown("Released", "good", "check"),
    LotState.REJECTED: Shown("Rejected", "bad", "cross"),
    LotState.ON_HOLD: Shown("On hold", "warn", "pause"),
    LotState.RECALLED: Shown("Recalled", "bad", "cross"),
    LotState.EXPIRED: Shown("Expired", "warn", "clock"),
}

VERDICTS: dict[str, Shown] = {
    "pass": Shown("Pass", "good", "check"),
    "fail": Shown("Fail", "bad", "cross"),
    "indeterminate": Shown("Indeterminate", "warn", "question"),
    "missing": Shown("Missing", "calm", "dash"),
    "reported": Shown("Reported", "calm", "dot"),
    "not_tested": Shown("Not tested", "calm", "dash"),
}

ELIGIBILITY: dict[str, Shown] = {
    "eligible": Shown("Eligible", "good", "check"),
    "ineligible": Shown("Ineligible", "bad", "cross"),
    "incomplete": Shown("Not decided", "warn", "question"),
}

SEVERITIES: dict[str, Shown] = {
    "minor": Shown("Minor", "calm", "dot"),
    "major": Shown("Major", "warn", "warning"),
    "critical": Shown("Critical", "bad", "warning"),
}

OPEN_OR_CLOSED: dict[bool, Shown] = {True: Shown("Open", "warn", "clock"), False: Shown("Closed", "good", "check")}

CAPA: dict[str, Shown] = {
    "open": Shown("Open", "calm", "clock"),
    "done": Shown("Done, to be checked", "calm", "eye"),
    "effective": Shown("Helped", "good", "check"),
    "not_effective": Shown("Did not help", "warn", "cross"),
}

HOLDS: dict[str, Shown] = {
    "stands": Shown("Stands", "warn", "pause"),
    "lift_proposed": Shown("Stands; lifting is proposed", "warn", "pause"),
    "lifted": Shown("Lifted", "good", "check"),
}

ROLES: dict[Role, str] = {
    Role.TECHNICIAN: "Technician: receives, makes, samples",
    Role.ANALYST: "Analyst: samples and tests",
    Role.REVIEWER: "Head of QC: reviews results, methods, specifications",
    Role.PRODUCTION_HEAD: "Head of production: products and manufacturing",
    Role.QA: "Quality assurance: releases, holds, recalls",
    Role.AUDITOR: "Auditor: reads everything, changes nothing",
    Role.ADMINISTRATOR: "Administrator: users and nothing of the laboratory",
    Role.INSTRUMENT: "Instrument: sends its files",
}


#: Instead of the state, while a release awaits a result.
CONDITIONAL = Shown("Released conditionally", "warn", "clock")


class Decision(NamedTuple):
    """How an action on a lot is offered."""

    action: str
    label: str
    title: str
    lead: str
    tone: str = "plain"


DECISIONS: dict[str, Decision] = {
    one.action: one
    for one in (
        Decision(
            "submit",
            "Submit to QA",
            "Submit lot {lot} to QA",
            "You state that the lot was tested as specified; its results are closed.",
            "main",
        ),
        Decision(
            "confirm",
            "Confirm manufacture",
            "Confirm how lot {lot} was made",
            "You state that the lot was manufactured according to instruction. The lot stays where it is.",
            "main",
        ),
        Decision(
            "release",
            "Release",
            "Release lot {lot}",
            "You certify the lot for release. Its certificate is issued in the same act.",
            "main",
        ),
        Decision(
            "release_conditionally",
            "Release conditionally",
            "Release lot {lot} before all results are final",
            "You certify the lot for release although the results named are not final. Its certificate and the public page say so. A result that does"
            " not comply holds the lot at once; without the result nobody may use it after the day given.",
            "grave",
        ),
        Decision(
            "accept",
            "Accept for use",
            "Accept lot {lot} for use",
            "The lot may be used in manufacturing from now on.",
            "main",
        ),
        Decision(
            "hold",
            "Put on hold",
            "Put lot {lot} on hold",
            "Nothing is made of it or released until the hold is lifted by somebody else.",
        ),
        Decision(
            "lift", "Lift the hold", "Lift the hold on lot {lot}", "The lot goes back to where it was before the hold."
        ),
        Decision("reject", "Reject", "Reject lot {lot}", "A rejected lot stays rejected.", "grave"),
        Decision(
            "recall",
            "Recall",
            "Recall lot {lot}",
            "The public page says so in the very next request. A recall cannot be undone.",
            "grave",
        ),
    )
}

RECALL_CLASSES = (
    ("I", "I: may be life-threatening"),
    ("II", "II: may harm"),
    ("III", "III: unlikely to harm"),
)

#: Permission -> what the page of acts offers: address, words.
ACTS: tuple[tuple[Permission, str, str], ...] = (
    (Permission.RECEIVE_MATERIAL, "/materials/new", "Receive material"),
    (Permission.RUN_STEP, "/steps/new", "Start a step"),
    (Permission.REGISTER_DONOR, "/donors/new", "Register a donor"),
    (Permission.DEFINE_PRODUCT, "/products/new", "Define a product"),
    (Permission.DEFINE_METHOD, "/methods/new", "Define a method"),
    (Permission.DRAFT_SPECIFICATION, "/specifications/new", "Draft a specification"),
    (Permission.DRAFT_SPECIFICATION, "/statements/new", "Draft a statement"),
    (Permission.OPEN_DEVIATION, "/deviations/new", "Report a deviation"),
    (Permission.DRAFT_SPECIFICATION, "/sampling-plans/new", "Draft a sampling plan"),
    (Permission.ENTER_RESULT, "/runs/new", "Start a run"),
    (Permission.ENTER_RESULT, "/contract-reports/new", "Record a contract laboratory’s report"),
)

#: What stands in the head of every page: permission, address, words.
PLACES: tuple[tuple[Permission, str, str], ...] = (
    (Permission.READ_RECORDS, "/work", "My work"),
    (Permission.READ_RECORDS, "/lots", "Lots"),
    (Permission.READ_RECORDS, "/steps", "Steps"),
    (Permission.READ_RECORDS, "/deviations", "Deviations"),
    (Permission.READ_RECORDS, "/materials", "Materials"),
    (Permission.READ_RECORDS, "/recipes", "Recipes"),
    (Permission.READ_RECORDS, "/equipment", "Equipment"),
    (Permission.READ_RECORDS, "/training", "Training"),
    (Permission.READ_RECORDS, "/donors", "Donors"),
    (Permission.READ_RECORDS, "/products", "Products"),
    (Permission.READ_RECORDS, "/laboratory", "Laboratory"),
    (Permission.READ_RECORDS, "/specifications", "Specifications"),
    (Permission.READ_RECORDS, "/methods", "Methods"),
    (Permission.READ_RECORDS, "/statements", "Statements"),
    (Permission.READ_RECORDS, "/register", "Register"),
    (Permission.MANAGE_USERS, "/users", "Users"),
    (Permission.READ_AUDIT, "/audit", "Audit trail"),
)

_SPELLED = {
    "hiv_ab": "HIV 1/2 antibodies",
    "hbsag": "HBsAg",
    "anti_hbc": "Anti-HBc",
    "anti_hcv": "Anti-HCV",
    "syphilis": "Syphilis",
    "hiv_nat": "HIV NAT",
    "hbv_nat": "HBV NAT",
    "hcv_nat": "HCV NAT",
    "htlv": "HTLV I/II",
    "cmv": "CMV",
    "wnv": "West Nile virus",
    "t_cruzi": "T. cruzi",
    "malaria": "Malaria",
    "ipsc_msc": "MSC from iPSC",
    "usp_decimals": "USP: to the decimals of the limit",
    "ph_eur_significant_figures": "Ph. Eur.: to the figures of the limit",
    "none_detected": "none detected",
    "licensed": "licensed",
    "hpl": "human platelet lysate",
    "fbs": "foetal bovine serum",
}


def spelled(code: str | StrEnum) -> str:
    """A code of the domain in words: `working_cell_bank` -> `working cell bank`."""
    text = str(code)
    return _SPELLED.get(text, text.replace("_", " "))


def capital(text: str) -> str:
    """The text with its first letter in upper case, the others as they are."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """A reason as a sentence: a capital first, a full stop last."""
    text = capital(text.strip())
    return text if text.endswith((".", "!", "?")) else f"{text}."
