"""The life cycle of a lot as a table of rules. Only here is a lot's state assigned; a missing rule is a refusal.

Guards and doers are named in the table and registered by the rooms that know the answer; one that nobody registered
refuses. The same table tells what stands in the way (`blockers`), so a page and the act never disagree.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from domain.errors import Reason, Refused
from domain.lots.models import Lot, LotMove, LotState
from domain.permissions import Permission
from domain.signatures import Meaning
from domain.work import Actor, Work

S = LotState


@dataclass(frozen=True, slots=True)
class Rule:
    """action from one of `from_` to `to`, by who holds `permission`, signed with `meaning` (None: no signature).

    guards: names of the conditions, all of which must hold. not_by: names of the parts in the lot's history whose doers
    may not act. to None: back to where the hold came from. moves: false for what is signed and leaves the lot where it is. awaits: the act does not
    wait for results that the product lets come late.
    """

    action: str
    from_: frozenset[LotState]
    to: LotState | None
    permission: Permission
    meaning: Meaning | None = None
    guards: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()
    moves: bool = True
    awaits: bool = False


def _rule(
    action: str,
    from_: Iterable[LotState],
    to: LotState | None,
    permission: Permission,
    meaning: Meaning | None = None,
    guards: tuple[str, ...] = (),
    not_by: tuple[str, ...] = (),
    moves: bool = True,
    awaits: bool = False,
) -> Rule:
    return Rule(action, frozenset(from_), to, permission, meaning, guards, not_by, moves, awaits)


_PRE_RELEASE = (S.QUARANTINE, S.UNDER_TEST, S.QA_REVIEW)

#: What the laboratory's own control asks for, where it is used.
LABORATORY = (
    "oos-concluded",
    "runs-valid",
    "sampling-fulfilled",
    "contract-checked",
    "slow-tests-final",
    "alerts-assessed",
)

#: What a lot must meet to be released.
RELEASE = (
    "is-drug-product",
    "not-expired",
    "steps-complete",
    "labels-accounted",
    "donors-eligible",
    "ancestors-released",
    "results-final",
    "results-pass",
    "no-contamination",
    "sterility-time",
    "certificate-complete",
    *LABORATORY,
    "every-specification",
    "recipe-followed",
    "entries-verified",
    "differences-explained",
    "exceptions-approved",
    "samples-taken",
    "no-open-deviation",
    "signatures-complete",
)

#: domain.md, section 5. `accept` is the release of what is not for patients by itself: donations, cell banks, raw
#: materials.
RULES: dict[str, Rule] = {
    rule.action: rule
    for rule in (
        _rule("finish", [S.IN_PROCESS], S.QUARANTINE, Permission.RUN_STEP),
        _rule("sample", [S.QUARANTINE], S.UNDER_TEST, Permission.DRAW_SAMPLE),
        # With QA already, it is signed anew where what was signed has changed since.
        _rule(
            "submit",
            [S.UNDER_TEST, S.QA_REVIEW],
            S.QA_REVIEW,
            Permission.SUBMIT_LOT,
            Meaning.APPROVED,
            guards=("not-expired", "results-final", "sterility-time", *LABORATORY, "not-submitted"),
            not_by=("made", "tested", "confirmed"),
            awaits=True,
        ),
        _rule(
            "confirm",
            [S.UNDER_TEST, S.QA_REVIEW],
            None,
            Permission.CONFIRM_MANUFACTURE,
            Meaning.APPROVED,
            guards=(
                "confirmation-asked",
                "not-expired",
                "steps-complete",
                "results-final",
                "recipe-followed",
                "entries-verified",
                "differences-explained",
                "exceptions-approved",
                "not-confirmed",
            ),
            not_by=("made", "tested", "reviewed", "submitted"),
            moves=False,
            awaits=True,
        ),
        _rule(
            "release",
            [S.QA_REVIEW],
            S.RELEASED,
            Permission.RELEASE_LOT,
            Meaning.CERTIFIED,
            guards=RELEASE,
            not_by=("made", "tested", "reviewed", "confirmed", "submitted"),
        ),
        # The same, but for the results that the product lets come late.
        _rule(
            "release_conditionally",
            [S.QA_REVIEW],
            S.RELEASED,
            Permission.RELEASE_LOT,
            Meaning.CERTIFIED,
            guards=("late-allowed", *RELEASE),
            not_by=("made", "tested", "reviewed", "confirmed", "submitted"),
            awaits=True,
        ),
        _rule(
            "accept",
            [S.QUARANTINE, S.UNDER_TEST],
            S.RELEASED,
            Permission.RELEASE_LOT,
            Meaning.APPROVED,
            guards=(
                "is-input",
                "not-expired",
                "steps-complete",
                "donors-eligible",
                "ancestors-released",
                "no-failing-result",
                "oos-concluded",
                "runs-valid",
                "contract-checked",
                "slow-tests-final",
                "no-open-deviation",
            ),
            not_by=("made", "tested", "reviewed"),
        ),
        _rule(
            "reject",
            [S.IN_PROCESS, *_PRE_RELEASE, S.ON_HOLD, S.EXPIRED],
            S.REJECTED,
            Permission.REJECT_LOT,
            Meaning.REJECTED,
            guards=("never-released",),
        ),
        _rule(
            "hold", [S.IN_PROCESS, *_PRE_RELEASE, S.RELEASED, S.EXPIRED], S.ON_HOLD, Permission.HOLD_LOT, Meaning.HELD
        ),
        _rule(
            "lift",
            [S.ON_HOLD],
            None,
            Permission.LIFT_HOLD,
            Meaning.HOLD_LIFTED,
            guards=("fit-to-go-back", "no-critical-deviation", "no-standing-cascade"),
            not_by=("held",),
        ),
        _rule(
            "recall",
            [S.RELEASED, S.EXPIRED, S.ON_HOLD],
            S.RECALLED,
            Permission.RECALL_LOT,
            Meaning.RECALLED,
            guards=("was-released",),
        ),
    )
}

Guard = Callable[["Case"], Iterable[Reason]]
Doers = Callable[["Case"], set[int]]
After = Callable[[Work, LotMove], None]
GUARDS: dict[str, Guard] = {}
DOERS: dict[str, Doers] = {}
AFTER: dict[str, list[After]] = {}


@dataclass(frozen=True, slots=True)
class Case:
    """A lot looked at, at a moment: what guards and doers get. `known`: what one of them found and others ask for too.

    awaits: for an act that does not wait for results that may come late.
    """

    session: Session
    lot: Lot
    now: datetime
    today: date
    known: dict[str, Any] = field(default_factory=dict, compare=False)
    awaits: bool = False

    @property
    def state(self) -> LotState:
        """The state on that day."""
        return state_on(self.lot.state, self.lot.expires_on, self.today)


def guard(name: str) -> Callable[[Guard], Guard]:
    """Register the condition of that name; it yields every reason why it does not hold."""

    def register(function: Guard) -> Guard:
        GUARDS[name] = function
        return function

    return register


def doers(name: str) -> Callable[[Doers], Doers]:
    """Register who took that part in the lot's history (user ids)."""

    def register(function: Doers) -> Doers:
        DOERS[name] = function
        return function

    return register


def after(action: str) -> Callable[[After], After]:
    """Register what follows a move in its transaction, whichever act caused it."""

    def register(function: After) -> After:
        AFTER.setdefault(action, []).append(function)
        return function

    return register


def state_on(stored: LotState, expires_on: date | None, today: date) -> LotState:
    """The state of a lot on a day at the site: it expires at the end of its expiry date, whatever was stored."""
    expirable = (*_PRE_RELEASE, S.RELEASED)
    return S.EXPIRED if stored in expirable and expires_on is not None and today > expires_on else stored


def blockers(case: Case, action: str, actor: Actor) -> tuple[Reason, ...]:
    """Every reason why the actor may not do this to the lot now; empty when nothing stands in the way."""
    rule = RULES.get(action)
    if rule is None:
        text = f"there is no rule for {action!r}: what no rule allows is refused"
        return (Reason("no-such-rule", text, about=("lot", case.lot.lot_number)),)
    found: list[Reason] = []
    if rule.permission not in actor.permissions:
        found.append(
            Reason(
                "permission-missing",
                f"{actor.name} does not hold the permission {rule.permission.value!r}",
                given={"name": actor.name, "permission": rule.permission.value},
            )
        )
    if case.state not in rule.from_:
        allowed = ", ".join(sorted(state.value for state in rule.from_))
        found.append(
            Reason(
                "wrong-state",
                f"lot {case.lot.lot_number} is {case.state.value}; {action!r} is possible only from {allowed}",
                about=("lot", case.lot.lot_number),
                given={"lot": case.lot.lot_number, "state": case.state.value, "allowed": allowed},
            )
        )
    found += unmet(replace(case, awaits=rule.awaits), action, actor, rule.guards, rule.not_by)
    lot = ("lot", case.lot.lot_number)  # what points to nothing nearer is about the lot itself
    return tuple(one if one.about else replace(one, about=lot) for one in found)


def unmet(case: Case, action: str, actor: Actor, guards: Iterable[str], not_by: Iterable[str] = ()) -> Iterator[Reason]:
    """Every reason why the named conditions do not hold for the lot, or why this actor may not do that to it.

    Also for acts on what belongs to a lot and does not move it, such as its certificate.
    """
    for part in not_by:
        if part not in DOERS or actor.user_id in DOERS[part](case):
            text = f"{actor.name} {part} this lot or something it is made of, and so may not {action} it"
            given = {"name": actor.name, "part": part, "action": action}
            yield Reason("not-by-same-person", text, about=("lot", case.lot.lot_number), given=given)
    for name in guards:
        if name in GUARDS:
            yield from GUARDS[name](case)
        else:
            yield Reason("unknown-guard", f"the condition {name!r} cannot be checked", given={"guard": name})


def require(work: Work, lot: Lot, action: str) -> None:
    """Refuse with every reason why this may not be done to the lot now."""
    if reasons := blockers(Case(work.session, lot, work.now, work.today), action, work.actor):
        raise Refused(*reasons)


def move(work: Work, lot: Lot, action: str, *, signature_id: int | None = None) -> LotMove:
    """Do what the rule says, or refuse with every reason."""
    require(work, lot, action)
    rule = RULES[action]
    assert rule.moves, f"{action} leaves a lot where it is"
    to = rule.to or lot.held_from
    assert to is not None, "a lot on hold knows where it came from"
    return _moved(work, lot, action, to, work.actor.user_id, work.actor.name, work.reason, signature_id)


RUN_DOWN = "run-down"
"""Under this name is registered what holds everything that was made of a released lot."""
SYSTEM = "Exolotl"
"""Who is on record for a move that follows from a rule and not from a person's decision."""


def seize(work: Work, lot: Lot, reason: str, *, down: bool = False) -> LotMove | None:
    """The system puts a lot on hold within the act that gave the reason; None where there is nothing left to hold.

    Nobody's decision, so no permission and no signature; lifting it is QA's, as with any hold. down: what was made of a released lot is held with it.
    """
    if lot.state not in RULES["hold"].from_:
        return None
    made = _moved(work, lot, "hold", S.ON_HOLD, None, SYSTEM, reason, None)
    if down and made.from_state == S.RELEASED:
        for follow in AFTER[RUN_DOWN]:
            follow(work, made)
    return made


def _moved(
    work: Work,
    lot: Lot,
    action: str,
    to: LotState,
    actor_id: int | None,
    actor: str,
    reason: str,
    signature_id: int | None,
) -> LotMove:
    before = lot.state
    lot.held_from = before if to is S.ON_HOLD else None
    lot.state = to
    made = work.add(
        LotMove(
            lot_id=lot.key,
            action=action,
            from_state=before,
            to_state=to,
            actor_id=actor_id,
            actor=actor,
            moved_at=work.now,
            reason=reason,
            signature_id=signature_id,
        )
    )
    for follow in AFTER.get(action, ()):
        follow(work, made)
    return made
