"""Acts on recipes: drafted by one person, reviewed by a second, approved by QA's signature; superseded, never edited."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from pydantic import Field
from sqlmodel import Session, col, select

from domain.errors import Conflict, Invalid, NotFound, Reason, Refused
from domain.lots.models import Product
from domain.lots.operations import Amount, magnitude, positive
from domain.manufacturing.catalogue import Parameter, step_kind
from domain.manufacturing.recipe_models import (
    LIMITS,
    HoldTime,
    ParameterRule,
    Recipe,
    RecipeApproval,
    RecipeContent,
    RecipeReview,
    RecipeStep,
    governed,
)
from domain.permissions import Permission
from domain.quantities import format_decimal, parse_decimal
from domain.signatures import Credentials, Meaning, Signature, sign
from domain.work import Command, Work, operation


class DraftRecipe(Command):
    """Write a recipe, or its next version."""

    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9.-]{1,29}$", examples=["MBR-AD-EV-100"])
    product_code: str
    effective_from: date
    reason: str = Field(min_length=3, max_length=1000, description="what is new, and why")
    content: RecipeContent


class SignRecipe(Command):
    """Sign a version."""

    code: str
    revision: int
    credentials: Credentials


class ReviewRecipe(SignRecipe):
    """A second person has reviewed the version."""


class ApproveRecipe(SignRecipe):
    """QA approves the version."""


@operation(Permission.DRAFT_RECIPE)
def draft_recipe(work: Work, command: DraftRecipe) -> Recipe:
    """What could not be carried out cannot be drafted; a version is a new row, the old one stays."""
    product = work.session.exec(select(Product).where(Product.code == command.product_code)).first()
    if product is None:
        raise NotFound(Reason("product-not-found", f"there is no product {command.product_code!r}", "product_code"))
    newest = select(Recipe).where(Recipe.code == command.code).order_by(col(Recipe.revision).desc())
    earlier = work.session.exec(newest).first()
    if earlier is not None and earlier.product_id != product.id:
        raise Conflict(Reason("recipe-of-other-product", f"{command.code} belongs to another product", "code"))
    if faults := tuple(_faults(command.content)):
        raise Invalid(*faults)
    return work.add(
        Recipe(
            code=command.code,
            revision=earlier.revision + 1 if earlier else 1,
            product_id=product.key,
            effective_from=command.effective_from,
            content=command.content.model_dump_json(),
            reason=command.reason,
            drafted_at=work.now,
            drafted_by=work.actor.person,
        )
    )


@operation(Permission.REVIEW_RECIPE)
def review_recipe(work: Work, command: ReviewRecipe) -> RecipeReview:
    """Nobody reviews what they drafted."""
    recipe = recipe_coded(work.session, command.code, command.revision)
    _refuse_doers(work, recipe, "review", [(recipe.drafted_by, "drafted")])
    if review_of(work.session, recipe) is not None:
        raise Conflict(Reason("reviewed-already", f"{recipe.label} is reviewed already"))
    signature = _signed(work, recipe, Meaning.REVIEWED, command.credentials)
    return work.add(
        RecipeReview(
            recipe_id=recipe.key,
            signature_id=signature.key,
            reviewed_at=work.now,
            reviewed_by=work.actor.person,
        )
    )


@operation(Permission.APPROVE_RECIPE)
def approve_recipe(work: Work, command: ApproveRecipe) -> RecipeApproval:
    """Only what a second person reviewed; the one who approves is a third."""
    recipe = recipe_coded(work.session, command.code, command.revision)
    review = review_of(work.session, recipe)
    if review is None:
        raise Refused(Reason("not-reviewed", f"{recipe.label} must be reviewed before it is approved"))
    _refuse_doers(work, recipe, "approve", [(recipe.drafted_by, "drafted"), (review.reviewed_by, "reviewed")])
    if approval_of(work.session, recipe) is not None:
        raise Conflict(Reason("approved-already", f"{recipe.label} is approved already"))
    signature = _signed(work, recipe, Meaning.APPROVED, command.credentials)
    return work.add(
        RecipeApproval(
            recipe_id=recipe.key,
            signature_id=signature.key,
            approved_at=work.now,
            approved_by=work.actor.person,
        )
    )


def _refuse_doers(work: Work, recipe: Recipe, act: str, doers: list[tuple[int, str]]) -> None:
    for user_id, did in doers:
        if user_id == work.actor.user_id:
            text = f"{work.actor.name} {did} {recipe.label} and so may not {act} it"
            raise Refused(Reason("not-by-same-person", text))


def _signed(work: Work, recipe: Recipe, meaning: Meaning, credentials: Credentials) -> Signature:
    content = {
        "recipe": recipe.label,
        "effective_from": recipe.effective_from.isoformat(),
        "content": recipe.said.model_dump(mode="json"),
    }
    return sign(work, recipe, content, meaning, credentials)


def recipe_coded(session: Session, code: str, revision: int) -> Recipe:
    """A version. Raises NotFound."""
    found = select(Recipe).where(Recipe.code == code, Recipe.revision == revision)
    if recipe := session.exec(found).first():
        return recipe
    raise NotFound(Reason("recipe-not-found", f"there is no recipe {code} v{revision}", "code"))


def review_of(session: Session, recipe: Recipe) -> RecipeReview | None:
    """The review of a version, if there is one."""
    return session.exec(select(RecipeReview).where(RecipeReview.recipe_id == recipe.id)).first()


def approval_of(session: Session, recipe: Recipe) -> RecipeApproval | None:
    """The approval of a version, if there is one."""
    return session.exec(select(RecipeApproval).where(RecipeApproval.recipe_id == recipe.id)).first()


def effective_recipe(session: Session, product_id: int, on: date) -> Recipe | None:
    """The newest approved version in force on that day."""
    found = (
        select(Recipe)
        .join(RecipeApproval, col(RecipeApproval.recipe_id) == Recipe.id)
        .where(Recipe.product_id == product_id, col(Recipe.effective_from) <= on)
        .order_by(col(Recipe.effective_from).desc(), col(Recipe.id).desc())
    )
    return session.exec(found.limit(1)).first()


def _faults(content: RecipeContent) -> Iterator[Reason]:
    """All that is wrong with a draft."""
    for key, count in Counter(step.key for step in content.steps).items():
        if count > 1:
            yield Reason("step-twice", f"two steps are called {key}", "content.steps")
    for place, step in enumerate(content.steps):
        yield from _step_faults(step, f"content.steps.{place}")
    order = {step.key: place for place, step in reversed(list(enumerate(content.steps)))}
    for place, hold in enumerate(content.hold_times):
        yield from _hold_faults(hold, order, f"content.hold_times.{place}")


def _hold_faults(hold: HoldTime, order: dict[str, int], field: str) -> Iterator[Reason]:
    for name, key in (("after", hold.after), ("before", hold.before)):
        if key not in order:
            yield Reason("step-unknown", f"the recipe has no step {key}", f"{field}.{name}")
    if hold.after in order and hold.before in order and order[hold.after] >= order[hold.before]:
        text = f"a hold time runs from a step to a later one; {hold.before} does not come after {hold.after}"
        yield Reason("times-out-of-order", text, f"{field}.before")
    yield from _amount_faults(hold.at_most, f"{field}.at_most", "h")


def _step_faults(step: RecipeStep, field: str) -> Iterator[Reason]:
    kind = step_kind(step.kind)
    codes = Counter(rule.code for rule in step.parameters)
    for code, count in codes.items():
        if count > 1:
            yield Reason("parameter-twice", f"{step.key}: {code} is named twice", f"{field}.parameters")
    for place, rule in enumerate(step.parameters):
        yield from _rule_faults(kind.parameter(rule.code), rule, f"{field}.parameters.{place}")
    for place, line in enumerate(step.materials):
        yield from _amount_faults(line.quantity, f"{field}.materials.{place}.quantity")
        yield from _percent_faults(line.tolerance, f"{field}.materials.{place}.tolerance", most=Decimal(100))
    names = Counter(line.material.casefold() for line in step.materials)
    if any(count > 1 for count in names.values()):
        yield Reason("material-twice", f"{step.key}: a material stands on the bill twice", f"{field}.materials")
    for place, sample in enumerate(step.samples):
        yield from _amount_faults(sample.quantity, f"{field}.samples.{place}.quantity")
    if step.expected_yield is not None:
        yield from _yield_faults(step, f"{field}.expected_yield")


def _yield_faults(step: RecipeStep, field: str) -> Iterator[Reason]:
    assert step.expected_yield is not None
    low, high = step.expected_yield.low, step.expected_yield.high
    faults = [*_percent_faults(low, f"{field}.low"), *_percent_faults(high, f"{field}.high")]
    yield from faults
    if not faults and parse_decimal(low) > parse_decimal(high):
        yield Reason("range-reversed", f"{step.key}: the yield of {low} to {high} % is no range", f"{field}.low")
    if step.expected_yield.theoretical is not None:
        yield from _amount_faults(step.expected_yield.theoretical, f"{field}.theoretical")


def _percent_faults(text: str, field: str, most: Decimal = Decimal(1000)) -> Iterator[Reason]:
    try:
        value = parse_decimal(text, field)
    except Invalid as fault:
        yield from fault.reasons
        return
    if not 0 <= value <= most:
        yield Reason("value-outside-hard-bounds", f"{text} % cannot be; allowed are 0 to {most} %", field)


def _amount_faults(amount: Amount, field: str, unit: str | None = None) -> Iterator[Reason]:
    try:
        positive(amount, unit or amount.unit, field)
    except Invalid as fault:
        yield from fault.reasons


def _rule_faults(parameter: Parameter, rule: ParameterRule, field: str) -> Iterator[Reason]:
    given: dict[str, Decimal] = {}
    for name in LIMITS:
        if (text := getattr(rule, name)) is not None:
            try:
                given[name] = parse_decimal(text, f"{field}.{name}")
            except Invalid as fault:
                yield from fault.reasons
                return
    if given and parameter.unit is None:
        yield Reason("only-numbers-have-limits", f"{parameter.en} is no number and has no limits", field)
        return
    yield from _widened(parameter, given, field)
    ladder = [bound for name in LIMITS if (bound := getattr(governed(parameter, rule), name)) is not None]
    if ladder != sorted(ladder):
        shown = ", ".join(format_decimal(one) for one in ladder)
        text = f"{parameter.en}: the limits (hard, action, alert; the catalogue's where none is given) are not in order: {shown}"
        yield Reason("limits-out-of-order", text, field)


def _widened(parameter: Parameter, given: dict[str, Decimal], field: str) -> Iterator[Reason]:
    """The catalogue's hard bounds can be narrowed, never widened."""
    low, high = parameter.hard_low, parameter.hard_high
    for name, bound in given.items():
        if (low is not None and bound < low) or (high is not None and bound > high):
            text = (
                f"{parameter.en}: {format_decimal(bound)} is outside the bounds of the catalogue; {parameter.allowed()}"
            )
            yield Reason("limits-too-wide", text, f"{field}.{name}")


def hours(hold: HoldTime) -> Decimal:
    """The longest hold in hours."""
    return magnitude(hold.at_most, "h", "at_most")
