"""Rules between the entries of one step: what cannot be (hard), and what is unusual (alerts).

`values` are the step's recorded values by parameter code, numbers in the catalogue's unit. A rule speaks once all it
compares is recorded; that it is recorded at all is `StepKind.missing`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from itertools import pairwise

from domain.errors import Reason
from domain.quantities import convert
from domain.quantities import format_decimal as _text

Values = Mapping[str, Decimal | str]


@dataclass(frozen=True, slots=True)
class Balance:
    """A whole that equals the sum of its parts exactly; counts of vials or labels."""

    kind: str
    name: str
    whole: str
    parts: tuple[str, ...]


#: 21 CFR 211.125 and 211.188 ask for reconciliation; domain 1.10 and 1.12 that it balances exactly.
BALANCES = (
    Balance("fill", "vials of the fill", "vials_filled", ("vials_ipc_used", "vials_rejected", "vials_loaded")),
    Balance(
        "packaging",
        "vials of the inspection",
        "vials_inspected",
        ("vials_accepted", "rejected_critical", "rejected_major", "rejected_minor"),
    ),
    Balance("packaging", "labels", "labels_printed", ("labels_applied", "labels_destroyed", "labels_sample_attached")),
)

_MINUTE = "%Y-%m-%d %H:%M %Z"
SHARE_TOLERANCE = Decimal("0.1")
COLLAPSE_MARGIN = Decimal(2)
#: Transport ranges in Cel by tissue (domain 1.2).
TRANSPORT = {
    "adipose": (Decimal(2), Decimal(8)),
    "umbilical_cord": (Decimal(2), Decimal(8)),
    "bone_marrow": (Decimal(15), Decimal(25)),
}
BANK_PASSAGE = {"master": Decimal(3), "working": Decimal(4)}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the rules look at.

    values: of this step. before: of the steps that led to it (blank of the medium, tissue).
    shares: lot number -> share in %, of what is pooled; None where only the recorded values are asked about.
    """

    values: Values
    before: Values = field(default_factory=dict)
    shares: Mapping[str, Decimal] | None = None

    def number(self, code: str) -> Decimal | None:
        """The number recorded under this code, here or before."""
        value = self.values.get(code, self.before.get(code))
        return value if isinstance(value, Decimal) else None

    def word(self, code: str) -> str | None:
        """The choice or text recorded under this code, here or before."""
        value = self.values.get(code, self.before.get(code))
        return value if isinstance(value, str) else None


Rule = Callable[[Recorded], list[Reason]]


def cross_check(
    kind: str,
    values: Values,
    *,
    before: Values | None = None,
    shares: Mapping[str, Decimal] | None = None,
    balanced: bool = True,
) -> tuple[Reason, ...]:
    """Every reason why these values cannot stand together; a step with any cannot be completed.

    shares: of the pooled lots, when they are consumed; given empty, they do not add up. balanced: whether counts have to balance already.
    """
    recorded = Recorded(values, before or {}, shares)
    found = unbalanced(kind, values, before=before) if balanced else ()
    return (*found, *(reason for rule in HARD.get(kind, ()) for reason in rule(recorded)))


def unbalanced(kind: str, values: Values, *, before: Values | None = None) -> tuple[Reason, ...]:
    """Every count that differs from the sum of its parts; the field of a reason is the whole."""
    recorded = Recorded(values, before or {})
    return tuple(reason for balance in BALANCES if balance.kind == kind for reason in _balance(balance, recorded))


def cross_alerts(kind: str, values: Values, *, before: Values | None = None) -> tuple[Reason, ...]:
    """Every reason why these values together are unusual; they are accepted and need a comment."""
    recorded = Recorded(values, before or {})
    return tuple(reason for rule in ALERTS.get(kind, ()) for reason in rule(recorded))


def time_order(*moments: tuple[str, datetime | None]) -> tuple[Reason, ...]:
    """Reasons for each moment before the one named ahead of it, such as ("start", …), ("end", …), ("now", …).

    Times are aware; what has not happened yet (None) is passed over.
    """
    known = [(name, moment) for name, moment in moments if moment is not None]
    return tuple(
        Reason("times-out-of-order", f"{late} ({later:{_MINUTE}}) is before {early} ({sooner:{_MINUTE}}).", late)
        for (early, sooner), (late, later) in pairwise(known)
        if later < sooner
    )


def ice_vapour_pressure(celsius: Decimal) -> Decimal:
    """Vapour pressure of ice in mbar, for Cel from -163 to 0.01 (Murphy and Koop 2005, equation 7; above 110 K).

    Warmer than that there is no ice: the value at the triple point stands. Colder: ValueError.
    """
    kelvin = min(convert(celsius, "Cel", "K"), Decimal("273.16"))
    if kelvin <= 110:
        raise ValueError(f"{celsius} Cel: the equation holds above 110 K")
    with localcontext(prec=28):
        log_pascal = (
            Decimal("9.550426")
            - Decimal("5723.265") / kelvin
            + Decimal("3.53068") * kelvin.ln()
            - Decimal("0.00728332") * kelvin
        )
        return log_pascal.exp() / 100


def _balance(balance: Balance, recorded: Recorded) -> list[Reason]:
    whole = recorded.number(balance.whole)
    parts = [(code, recorded.number(code)) for code in balance.parts]
    known = [part for _, part in parts if part is not None]
    if whole is None or len(known) < len(parts) or whole == sum(known):
        return []
    shown = " + ".join(f"{code} {_text(part)}" for code, part in parts if part is not None)
    total = _text(sum(known, Decimal(0)))
    text = f"The {balance.name} do not balance: {balance.whole} {_text(whole)}, but {shown} = {total}."
    return [Reason("reconciliation-does-not-balance", text, balance.whole)]


def _shares_make_a_whole(recorded: Recorded) -> list[Reason]:
    if recorded.shares is None:
        return []
    total = sum(recorded.shares.values(), Decimal(0))
    found = []
    if abs(total - 100) > SHARE_TOLERANCE:
        text = f"The shares of the pooled lots add up to {_text(total)} %; 100 ± {SHARE_TOLERANCE} % is allowed."
        found.append(Reason("shares-do-not-add-up", text, "shares"))
    for lot, share in recorded.shares.items():
        if share <= 0:
            text = f"The share of {lot} is {_text(share)} %; it must be above 0 %."
            found.append(Reason("share-not-positive", text, f"shares.{lot}"))
    return found


def _many_donors_need_a_number(recorded: Recorded) -> list[Reason]:
    donors = recorded.number("donors_per_pool")
    if donors is None or donors <= 1 or recorded.word("pool_din"):
        return []
    text = f"A pool of {_text(donors)} donors needs a donation number of its own."
    return [Reason("pool-without-donation-number", text, "pool_din")]


def _ice_must_sublime(recorded: Recorded) -> list[Reason]:
    pressure = recorded.number("chamber_pressure_primary")
    product = recorded.number("product_temperature_max_primary")
    if pressure is None or product is None or pressure < (limit := ice_vapour_pressure(product)):
        return []
    text = (
        f"At {_text(product)} Cel ice has {limit:.3f} mbar: with {_text(pressure)} mbar in the chamber nothing"
        " sublimes; the chamber pressure must be lower."
    )
    return [Reason("no-sublimation", text, "chamber_pressure_primary")]


def _transport_suits_the_tissue(recorded: Recorded) -> list[Reason]:
    limits = TRANSPORT.get(recorded.word("tissue_source") or "")
    if limits is None:
        return []
    found = []
    for code in ("transport_temperature_min", "transport_temperature_max"):
        if (value := recorded.number(code)) is not None and not limits[0] <= value <= limits[1]:
            text = f"{_text(value)} Cel in transport; {limits[0]} to {limits[1]} Cel suits this tissue."
            found.append(Reason("transport-temperature-unsuited", text, code))
    return found


def _lowest_is_not_above_highest(recorded: Recorded) -> list[Reason]:
    found = []
    for stem in ("transport_temperature", "storage_temperature"):
        low, high = recorded.number(f"{stem}_min"), recorded.number(f"{stem}_max")
        if low is not None and high is not None and low > high:
            text = f"The lowest temperature ({_text(low)} Cel) is above the highest ({_text(high)} Cel)."
            found.append(Reason("lowest-above-highest", text, f"{stem}_min"))
    return found


def _only_cord_waits_longer(recorded: Recorded) -> list[Reason]:
    hours = recorded.number("procurement_to_processing")
    if hours is None or hours <= 24 or recorded.word("tissue_source") == "umbilical_cord":
        return []
    text = f"Processing began {_text(hours)} h after procurement; up to 24 h is usual, for cord 48 h."
    return [Reason("processed-late", text, "procurement_to_processing")]


def _bank_is_young(recorded: Recorded) -> list[Reason]:
    tier, passage = recorded.word("bank_tier"), recorded.number("passage_number")
    if passage is None or tier not in BANK_PASSAGE or passage <= BANK_PASSAGE[tier]:
        return []
    text = f"A {tier} cell bank at passage {_text(passage)}; up to passage {BANK_PASSAGE[tier]} is usual."
    return [Reason("bank-passage-high", text, "passage_number")]


def _dying_cells_are_not_harvested(recorded: Recorded) -> list[Reason]:
    viability = recorded.number("viability_end")
    if viability is None or viability >= 80:
        return []
    text = f"Viability at the end is {_text(viability)} %: below 80 % rejection is proposed (apoptotic bodies, DNA)."
    return [Reason("viability-calls-for-rejection", text, "viability_end")]


def _harvest_is_held_cold(recorded: Recorded) -> list[Reason]:
    hours, celsius = recorded.number("hold_time"), recorded.number("hold_temperature")
    if celsius is None or celsius <= -65:
        return []
    found = []
    if not 2 <= celsius <= 8:
        text = f"Held at {_text(celsius)} Cel; 2 to 8 Cel, or -65 Cel and colder, is usual."
        found.append(Reason("held-too-warm", text, "hold_temperature"))
    if hours is not None and hours > 24:
        text = f"Held for {_text(hours)} h at {_text(celsius)} Cel; up to 24 h is usual unless at -65 Cel or colder."
        found.append(Reason("held-too-long", text, "hold_time"))
    return found


def _blank_is_small(recorded: Recorded) -> list[Reason]:
    blank, count = recorded.number("particle_blank"), recorded.number("particle_concentration")
    if blank is None or count is None or blank * 10 <= count:
        return []
    text = f"The blank of the medium ({_text(blank)} {{particles}}/mL) exceeds 10 % of the harvest ({_text(count)})."
    return [Reason("particle-blank-high", text, "particle_concentration")]


def _fill_is_on_target(recorded: Recorded) -> list[Reason]:
    target, filled = recorded.number("fill_volume_target"), recorded.number("fill_volume")
    if target is None or filled is None or abs(filled - target) * 20 <= target:
        return []
    text = f"Filled {_text(filled)} mL against a target of {_text(target)} mL; up to 5 % off is usual."
    return [Reason("fill-volume-off-target", text, "fill_volume")]


def _fill_ends_in_proven_time(recorded: Recorded) -> list[Reason]:
    duration, proven = recorded.number("fill_duration"), recorded.number("aseptic_time_limit")
    if duration is None or proven is None or duration <= proven:
        return []
    text = f"The fill took {_text(duration)} h; process simulation has shown {_text(proven)} h."
    return [Reason("aseptic-time-exceeded", text, "fill_duration")]


def _fill_yield_is_high(recorded: Recorded) -> list[Reason]:
    filled, loaded = recorded.number("vials_filled"), recorded.number("vials_loaded")
    if filled is None or loaded is None or loaded * 10 >= filled * 9:
        return []
    text = f"{_text(loaded)} of {_text(filled)} vials were loaded; a yield of at least 90 % is usual."
    return [Reason("fill-yield-low", text, "vials_loaded")]


def _product_stays_below_collapse(recorded: Recorded) -> list[Reason]:
    product, collapse = recorded.number("product_temperature_max_primary"), recorded.number("critical_temperature")
    if product is None or collapse is None or product <= collapse - COLLAPSE_MARGIN:
        return []
    text = f"The product reached {_text(product)} Cel; {_text(collapse - COLLAPSE_MARGIN)} Cel keeps 2 Cel to collapse."
    return [Reason("product-near-collapse", text, "product_temperature_max_primary")]


HARD: Mapping[str, tuple[Rule, ...]] = {
    "procurement": (_lowest_is_not_above_highest,),
    "pooling": (_shares_make_a_whole, _many_donors_need_a_number),
    "lyophilization": (_ice_must_sublime,),
    "packaging": (_lowest_is_not_above_highest,),
}
ALERTS: Mapping[str, tuple[Rule, ...]] = {
    "procurement": (_transport_suits_the_tissue,),
    "isolation": (_only_cord_waits_longer,),
    "banking": (_bank_is_young,),
    "conditioning": (_dying_cells_are_not_harvested,),
    "harvest": (_harvest_is_held_cold, _blank_is_small),
    "fill": (_fill_is_on_target, _fill_ends_in_proven_time, _fill_yield_is_high),
    "lyophilization": (_product_stays_below_collapse,),
}
