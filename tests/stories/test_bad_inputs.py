"""Everything that can be typed wrong on the way from a donor to a recall, and what the API answers; nothing of it leaves a trace but a refusal.

The table in `bad_inputs.py` is the specification; `python -m tests.stories.test_bad_inputs` writes it to docs/bad-inputs.md.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.problem_types import problem_types
from domain import audit
from domain.store import entity_classes
from domain.work import Site
from tests.cast import raw
from tests.stories.bad_inputs import (
    AFTER,
    BANK,
    BULK,
    CASES,
    DECIDE,
    DONOR,
    DONORS,
    DOOR,
    DRY,
    FILL,
    GOODS,
    NANOSIGHT,
    PACK,
    REVIEW,
    RULES,
    SIGNED,
    STEPS,
    TESTS,
    Bad,
    World,
)
from tests.stories.over_http import JSON, Story, readings

DOCUMENT = Path(__file__).parents[2] / "docs" / "bad-inputs.md"

# --- the story -----------------------------------------------------------------------------------------------------


def walk(story: Story, world: World) -> Iterator[str]:
    """The right way through the laboratory; at each stop the bad inputs of that stage are tried."""
    house = story.house
    world.now, world.later = story.now, (lambda: story.now(timedelta(days=1)))
    world.tomorrow = lambda: story.now(timedelta(days=1))[:10]
    yield DOOR
    world.donor, world.undecided = "D-2026-017", "D-2026-018"
    for pseudonym in (world.donor, world.undecided):
        house.post("tom", "/donors", {**DONOR, "pseudonym": pseudonym})
    yield DONORS
    story_panel(story, world.donor)
    world.product = story.product()
    yield GOODS
    world.material = story.material()
    step = open_step(story, world, "procurement", {}, "donation", "g", donor=world.donor)
    read = {"parameter": "receipt_bioburden", "value": "no_growth"}
    world.reading = house.post("tom", f"/steps/{world.step}/readings", read)["id"]
    yield STEPS
    yield from the_bank(story, world, step)
    yield from the_bulk(story, world)
    yield from the_vials(story, world)
    yield from the_tests(story, world)


def story_panel(story: Story, donor: str) -> None:
    """A negative panel, and QA's decision."""
    on = story.site.today().isoformat()
    panel = [
        {"marker": one, "verdict": "negative", "sampled_on": on}
        for one in ("hiv_ab", "hbsag", "anti_hbc", "anti_hcv", "syphilis")
    ]
    story.house.post("tom", f"/donors/{donor}/markers", {"laboratory": "Blood bank", "results": panel})
    story.house.post("cleo", f"/donors/{donor}/eligibility", {**SIGNED, "decision": "eligible"})


def open_step(
    story: Story, world: World, kind: str, inputs: dict[str, tuple[str, str]], what: str, unit: str, **more: Any
) -> JSON:
    """A step is begun and stays open."""
    step = story.start(kind, inputs, [(what, unit)], **more)
    world.kind, world.step, world.lot = kind, step["number"], step["yielded"][0]["lot_number"]
    return step


def the_bank(story: Story, world: World, step: JSON) -> Iterator[str]:
    world.donation = story.complete(step, [("40", "g")])
    world.undecided_donation = story.step("procurement", {}, ("donation", "40", "g"), donor=world.undecided)
    made = ("isolated_cells", "35", "10*6.{cells}")
    world.undecided_cells = story.step("isolation", {world.undecided_donation: ("40", "g")}, made)
    cells = story.step("isolation", {story.accept(world.donation): ("40", "g")}, made)
    world.bank = story.step("banking", {cells: ("35", "10*6.{cells}")}, ("master_cell_bank", "60", "{vial}"))
    yield BANK


def the_bulk(story: Story, world: World) -> Iterator[str]:
    for lot in (world.bank, world.material):
        story.accept(lot)
    world.short_lived = story.accept(story.material(expires_on=world.tomorrow()))
    world.bulk, world.other_bulk = (story.bulk(world.bank, world.material) for _ in range(2))
    yield BULK


def the_vials(story: Story, world: World) -> Iterator[str]:
    made = ("formulated_bulk", "210", "mL")
    formulated = story.step("formulation", {world.bulk: ("100", "mL")}, made, product_code=world.product)
    taken = {formulated: ("210", "mL")}
    loaded = readings("fill")["vials_loaded"]["value"]
    step = open_step(story, world, "fill", taken, "filled_vials", "{vial}", product_code=world.product)
    yield FILL
    taken = {story.complete(step, [(loaded, "{vial}")]): (loaded, "{vial}")}
    step = open_step(story, world, "lyophilization", taken, "lyophilized_vials", "{vial}", product_code=world.product)
    yield DRY
    taken = {story.complete(step, [(loaded, "{vial}")]): (loaded, "{vial}")}
    step = open_step(story, world, "packaging", taken, "drug_product", "{vial}", product_code=world.product)
    yield PACK
    story.complete(step, [(readings("packaging")["vials_accepted"]["value"], "{vial}")])
    packed = world.lot
    world.second = story.pack(world.other_bulk, world.product)
    world.lot = packed


def the_tests(story: Story, world: World) -> Iterator[str]:
    story.specification(world.product, nanosight=True)
    yield RULES
    world.sample, world.sampled_at = story.sample(world.lot), story.now()
    story.wait(days=13)
    found = story.result(world.sample, "MYCO", "not detected", started_at=world.sampled_at)
    world.first = found["results"][0]["id"]
    yield TESTS
    story.wait(days=1)
    for test, typed in LATER.items():
        story.result(world.sample, test, *typed, started_at=world.sampled_at)
    story.measure(world.sample, NANOSIGHT)
    world.results = [one["id"] for one in story.house.get("rhea", f"/samples/{world.sample}")["results"]]
    yield REVIEW
    story.review(world.sample)
    world.held = story.accept(story.material())
    story.decide("cleo", world.held, "hold")
    yield DECIDE
    story.submit(world.lot)
    story.decide("cleo", world.lot, "release")
    yield AFTER


LATER = {
    "APP-CAKE": ["intact"],
    "PH": ["7.21", "7.19"],
    "PROT": ["8.1", "8.0", "7.9"],
    "ENDO": ["<0.05", "<0.05"],
    "STER": ["no growth"],
}

#: What may change although an input was bad: attempts are counted, and sign-ins come and go.
FREE = {"app_user", "sign_in"}


def state(site: Site) -> dict[str, Any]:
    """Rows and versions of every table, and the last number of every series: what a bad input must leave alone."""
    tables = [name for name in entity_classes() if name not in FREE]
    counted = " UNION ALL ".join(f"SELECT '{name}', count(*), coalesce(sum(version), 0) FROM {name}" for name in tables)
    numbers = "SELECT 'number_series', count(*), coalesce(sum(last), 0) FROM number_series"
    return {name: (int(rows), int(versions)) for name, rows, versions in raw(site, f"{counted} UNION ALL {numbers}")}


def tried(story: Story, case: Bad, world: World) -> Iterator[str]:
    """Send it; yields everything that is not as the table says."""
    method, path, sent = case.request(world)
    if case.who is not None:
        story.house.get(case.who, "/session")  # signed in before we look
    before, head = state(story.site), raw(story.site, "SELECT coalesce(max(sequence), 0) FROM audit_entry")[0][0]
    answer = story.house.ask(case.who, method, f"/api/v1{path}", **sent)
    yield from told(case, answer)
    if (after := state(story.site)) != before:
        yield f"{case.what}: something was written: {set(after.items()) ^ set(before.items())}"
    outcomes = raw(story.site, "SELECT act, outcome FROM audit_entry WHERE sequence > :head", head=head)
    if any(outcome != "refused" for _, outcome in outcomes):
        yield f"{case.what}: the audit trail has {outcomes}"


def told(case: Bad, answer: httpx.Response) -> Iterator[str]:
    """What the answer says against the table, and against the catalogue of refusals."""
    said = f"{case.what}: {answer.status_code} {answer.text[:300]}"
    if answer.headers.get("content-type") != "application/problem+json":
        yield f"{said} is no problem+json"
        return
    codes = {reason["type"].removeprefix("/problems/") for reason in answer.json()["reasons"]}
    if answer.status_code != case.status or case.code not in codes:
        yield f"{said}; expected {case.status} {case.code}"
    yield from (f"{said}: {code} is not in the catalogue with {answer.status_code}" for code in codes
                if code not in problem_types() or answer.status_code not in problem_types()[code].status)  # fmt: skip


@pytest.mark.requirement(
    "URS-001", "URS-015", "URS-018", "URS-024", "URS-026", "URS-028", "URS-029", "URS-043", "URS-059"
)
def test_every_bad_input_is_refused_as_the_table_says_and_leaves_nothing_behind(story: Story, site: Site) -> None:
    world, wrong, seen = World(), [], 0
    for stage in walk(story, world):
        for case in (one for one in CASES if one.stage == stage):
            wrong += tried(story, case, world)
            seen += 1
    assert not wrong, "\n".join(wrong)
    assert seen == len(CASES) >= 40
    assert audit.verify(site.engine).broken is None


def document() -> str:
    """The table for people."""
    lines = [
        "# Bad inputs\n",
        "What can be typed or sent wrong on the way from a donor to a recall, and what the API answers. A test sends each on both",
        "engines and finds nothing written but the refusal. [Refusals](problems.md) tells what each reason means.",
        "Made by `python -m tests.stories.test_bad_inputs`.\n",
        f"{len(CASES)} inputs.\n",
    ]
    for stage in dict.fromkeys(case.stage for case in CASES):
        lines += [f"## {stage[0].upper()}{stage[1:]}\n", "| input | by | answer | reason |", "|---|---|---|---|"]
        lines += [
            f"| {one.what} | {one.who or 'nobody'} | {one.status} | {one.code} |" for one in CASES if one.stage == stage
        ]
        lines.append("")
    return "\n".join(lines)


def test_the_table_of_bad_inputs_in_the_documents_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "type: .venv/bin/python -m tests.stories.test_bad_inputs"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
