"""The life cycle of a lot as a table of rules. Only `move` assigns a lot's state; a missing rule is a refusal.

Guards and doers are named in the table and registered by the rooms that know the answer; one that nobody registered
refuses. The same table tells what stands in the way (`blockers`), so a page and the act never disagree.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
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
    may not act. to None: back to where the hold came from.
    """

    action: str
    from_: frozenset[LotState]
    to: LotState | None
    permission: Permission
    meaning: Meaning | None = None
    guards: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()


def _rule(
    action: str,
    from_: Iterable[LotState],
    to: LotState | None,
    permission: Permission,
    meaning: Meaning | None = None,
    guards: tuple[str, ...] = (),
    not_by: tuple[str, ...] = (),
) -> Rule:
    return Rule(action, frozenset(from_), to, permission, meaning, guards, not_by)


_PRE_RELEASE = (S.QUARANTINE, S.UNDER_TEST, S.QA_REVIEW)

#: What the laboratory's own control asks for, where it is used.
LABORATORY = ("oos-concluded", "runs-valid", "sampling-fulfilled", "contract-checked", "slow-tests-final", "alerts-assessed")

#: domain.md, section 5. `accept` is the release of what is not for patients by itself: donations, cell banks, raw
#: materials.
RULES: dict[str, Rule] = {
    rule.action: rule
    for rule in (
        _rule("finish", [S.IN_PROCESS], S.QUARANTINE, Permission.RUN_STEP),
        _rule("sample", [S.QUARANTINE], S.UNDER_TEST, Permission.DRAW_SAMPLE),
        _rule(
            "submit",
            [S.UNDER_TEST],
            S.QA_REVIEW,
            Permission.SUBMIT_LOT,
            Meaning.APPROVED,
            guards=("not-expired", "results-final", "sterility-time", *LABORATORY),
            not_by=("tested",),
        ),
        _rule(
            "release",
            [S.QA_REVIEW],
            S.RELEASED,
            Permission.RELEASE_LOT,
            Meaning.CERTIFIED,
            guards=(
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
            ),
            not_by=("made", "tested", "reviewed"),
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
            guards=("fit-to-go-back",),
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
GUARDS: dict[str, Guard] = {}
DOERS: dict[str, Doers] = {}


@dataclass(frozen=True, slots=True)
class Case:
    """A lot looked at, at a moment: what guards and doers get. `known`: what one of them found and others ask for too."""

    session: Session
    lot: Lot
    now: datetime
    today: date
    known: dict[str, Any] = field(default_factory=dict, compare=False)

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


def state_on(stored: LotState, expires_on: date | None, today: date) -> LotState:
    """The state of a lot on a day at the site: it expires at the end of its expiry date, whatever was stored."""
    expirable = (*_PRE_RELEASE, S.RELEASED)
    return S.EXPIRED if stored in expirable and expires_on is not None and today > expires_on else stored


def blockers(case: Case, action: str, actor: Actor) -> tuple[Reason, ...]:
    """Every reason why the actor may not do this to the lot now; empty when nothing stands in the way."""
    rule = RULES.get(action)
    if rule is None:
        return (Reason("no-such-rule", f"there is no rule for {action!r}: what no rule allows is refused"),)
    found: list[Reason] = []
    if rule.permission not in actor.permissions:
        found.append(
            Reason("permission-missing", f"{actor.name} does not hold the permission {rule.permission.value!r}")
        )
    if case.state not in rule.from_:
        allowed = ", ".join(sorted(state.value for state in rule.from_))
        found.append(
            Reason(
                "wrong-state",
                f"lot {case.lot.lot_number} is {case.state.value}; {action!r} is possible only from {allowed}",
            )
        )
    found += unmet(case, action, actor, rule.guards, rule.not_by)
    return tuple(found)


def unmet(case: Case, action: str, actor: Actor, guards: Iterable[str], not_by: Iterable[str] = ()) -> Iterator[Reason]:
    """Every reason why the named conditions do not hold for the lot, or why this actor may not do that to it.

    Also for acts on what belongs to a lot and does not move it, such as its certificate.
    """
    for part in not_by:
        if part not in DOERS or actor.user_id in DOERS[part](case):
            text = f"{actor.name} {part} this lot or something it is made of, and so may not {action} it"
            yield Reason("not-by-same-person", text)
    for name in guards:
        if name in GUARDS:
            yield from GUARDS[name](case)
        else:
            yield Reason("unknown-guard", f"the condition {name!r} cannot be checked")


def move(work: Work, lot: Lot, action: str, *, signature_id: int | None = None) -> LotMove:
    """Do what the rule says, or refuse with every reason; the only place where a lot's state is assigned."""
    if reasons := blockers(Case(work.session, lot, work.now, work.today), action, work.actor):
        raise Refused(*reasons)
    rule, before = RULES[action], lot.state
    after = rule.to or lot.held_from
    assert after is not None, "a lot on hold knows where it came from"
    lot.held_from = before if after is S.ON_HOLD else None
    lot.state = after
    return work.add(
        LotMove(
            lot_id=lot.key,
            action=action,
            from_state=before,
            to_state=after,
            actor_id=work.actor.user_id,
            actor=work.actor.name,
            moved_at=work.now,
            reason=work.reason,
            signature_id=signature_id,
        )
    )


SYSTEM = "Exolotl"
"""Who is on record for a move that follows from a rule and not from a person's decision."""


def seize(work: Work, lot: Lot, reason: str) -> LotMove | None:
    """The system puts a lot on hold within the act that gave the reason; None where there is nothing left to hold.

    Nobody's decision, so no permission and no signature; lifting it is QA's, as with any hold.
    """
    if lot.state not in RULES["hold"].from_:
        return None
    lot.held_from, lot.state = lot.state, S.ON_HOLD
    return work.add(
        LotMove(
            lot_id=lot.key,
            action="hold",
            from_state=lot.held_from,
            to_state=S.ON_HOLD,
            actor_id=None,
            actor=SYSTEM,
            moved_at=work.now,
            reason=reason,
        )
    )
