"""Who may do what: one table. A permission that a role does not hold here is not held.

Toxic pairs are stated on permissions, so that no combination of roles can reach both halves.
"""

from collections.abc import Iterable
from enum import StrEnum


class Permission(StrEnum):
    """Everything that can be allowed."""

    MANAGE_USERS = "manage_users"
    READ_RECORDS = "read_records"
    READ_AUDIT = "read_audit"
    DEFINE_PRODUCT = "define_product"
    REGISTER_DONOR = "register_donor"
    DECIDE_ELIGIBILITY = "decide_eligibility"
    RECEIVE_MATERIAL = "receive_material"
    RUN_STEP = "run_step"
    DRAW_SAMPLE = "draw_sample"
    ENTER_RESULT = "enter_result"
    IMPORT_RESULT = "import_result"
    REVIEW_RESULT = "review_result"
    DEFINE_METHOD = "define_method"
    DRAFT_SPECIFICATION = "draft_specification"
    APPROVE_SPECIFICATION = "approve_specification"
    SUBMIT_LOT = "submit_lot"
    RELEASE_LOT = "release_lot"
    REJECT_LOT = "reject_lot"
    HOLD_LOT = "hold_lot"
    LIFT_HOLD = "lift_hold"
    RECALL_LOT = "recall_lot"
    CONFIRM_MANUFACTURE = "confirm_manufacture"
    EXTEND_EXPIRY = "extend_expiry"
    DESTROY_LOT = "destroy_lot"
    OPEN_DEVIATION = "open_deviation"
    CLASSIFY_DEVIATION = "classify_deviation"
    INVESTIGATE_DEVIATION = "investigate_deviation"
    DECIDE_DEVIATION = "decide_deviation"
    REVIEW_PRODUCTION = "review_production"
    CONCLUDE_OOS = "conclude_oos"
    DRAFT_RECIPE = "draft_recipe"
    REVIEW_RECIPE = "review_recipe"
    APPROVE_RECIPE = "approve_recipe"
    MANAGE_EQUIPMENT = "manage_equipment"
    RECORD_TRAINING = "record_training"
    APPROVE_EXCEPTION = "approve_exception"


class Role(StrEnum):
    """The roles a person (or an instrument) can hold."""

    TECHNICIAN = "technician"
    ANALYST = "analyst"
    REVIEWER = "reviewer"
    PRODUCTION_HEAD = "production_head"
    QA = "qa"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    INSTRUMENT = "instrument"


P = Permission

ROLES: dict[Role, frozenset[Permission]] = {
    Role.TECHNICIAN: frozenset(
        {P.READ_RECORDS, P.REGISTER_DONOR, P.RECEIVE_MATERIAL, P.RUN_STEP, P.DRAW_SAMPLE, P.OPEN_DEVIATION}
    ),
    Role.ANALYST: frozenset({P.READ_RECORDS, P.DRAW_SAMPLE, P.ENTER_RESULT, P.IMPORT_RESULT, P.OPEN_DEVIATION}),
    Role.REVIEWER: frozenset(
        {
            P.READ_RECORDS,
            P.REVIEW_RESULT,
            P.DEFINE_METHOD,
            P.DRAFT_SPECIFICATION,
            P.SUBMIT_LOT,
            P.HOLD_LOT,
            P.OPEN_DEVIATION,
            P.INVESTIGATE_DEVIATION,
            P.REVIEW_RECIPE,
            P.MANAGE_EQUIPMENT,
            P.RECORD_TRAINING,
        }
    ),
    Role.PRODUCTION_HEAD: frozenset(
        {
            P.READ_RECORDS,
            P.DEFINE_PRODUCT,
            P.RUN_STEP,
            P.RECEIVE_MATERIAL,
            P.HOLD_LOT,
            P.CONFIRM_MANUFACTURE,
            P.DESTROY_LOT,
            P.OPEN_DEVIATION,
            P.CLASSIFY_DEVIATION,
            P.INVESTIGATE_DEVIATION,
            P.REVIEW_PRODUCTION,
            P.DRAFT_RECIPE,
            P.REVIEW_RECIPE,
            P.MANAGE_EQUIPMENT,
            P.RECORD_TRAINING,
        }
    ),
    Role.QA: frozenset(
        {
            P.READ_RECORDS,
            P.READ_AUDIT,
            P.DECIDE_ELIGIBILITY,
            P.APPROVE_SPECIFICATION,
            P.RELEASE_LOT,
            P.REJECT_LOT,
            P.HOLD_LOT,
            P.LIFT_HOLD,
            P.RECALL_LOT,
            P.EXTEND_EXPIRY,
            P.DESTROY_LOT,
            P.OPEN_DEVIATION,
            P.CLASSIFY_DEVIATION,
            P.INVESTIGATE_DEVIATION,
            P.DECIDE_DEVIATION,
            P.CONCLUDE_OOS,
            P.APPROVE_RECIPE,
            P.APPROVE_EXCEPTION,
        }
    ),
    Role.AUDITOR: frozenset({P.READ_RECORDS, P.READ_AUDIT}),
    Role.ADMINISTRATOR: frozenset({P.MANAGE_USERS}),
    Role.INSTRUMENT: frozenset({P.IMPORT_RESULT}),
}

#: No person may reach both halves of a pair: who makes or tests does not release (21 CFR 211.22, EU GMP Chapter 2), and
#: who manages
#: users has no laboratory rights (EU GMP Annex 11, 12.3; 21 CFR 11.10(g)).
TOXIC_PAIRS: tuple[tuple[Permission, Permission, str], ...] = (
    (P.RUN_STEP, P.RELEASE_LOT, "who makes lots cannot release them"),
    (P.ENTER_RESULT, P.RELEASE_LOT, "who tests lots cannot release them"),
    (P.IMPORT_RESULT, P.RELEASE_LOT, "who tests lots cannot release them"),
    (P.REVIEW_RESULT, P.RELEASE_LOT, "who answers for testing cannot also release"),
    (P.MANAGE_USERS, P.RELEASE_LOT, "who manages users cannot release lots"),
    (P.MANAGE_USERS, P.RUN_STEP, "who manages users has no laboratory rights"),
    (P.MANAGE_USERS, P.IMPORT_RESULT, "who manages users has no laboratory rights"),
    (P.MANAGE_USERS, P.REVIEW_RESULT, "who manages users has no laboratory rights"),
    (P.IMPORT_RESULT, P.REVIEW_RESULT, "who enters results cannot review them"),
    (P.ENTER_RESULT, P.CONCLUDE_OOS, "who tests lots does not conclude on the results"),
    (P.REVIEW_PRODUCTION, P.CONCLUDE_OOS, "who answers for production does not conclude on the results"),
    (P.DRAFT_RECIPE, P.APPROVE_RECIPE, "who writes recipes does not approve them"),
    (P.RUN_STEP, P.REVIEW_RESULT, "production and quality control are independent (AMWHV 12, EU GMP Chapter 2)"),
)


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """All permissions that the roles hold together."""
    return frozenset().union(*(ROLES[role] for role in roles))


def toxic_pairs(roles: Iterable[Role]) -> tuple[str, ...]:
    """Why these roles may not be held by one person; empty when they may."""
    held = permissions_of(roles)
    return tuple(
        f"{why} ({first} with {second})" for first, second, why in TOXIC_PAIRS if first in held and second in held
    )
