"""Lots side by side: anyone may compare, without an account."""

import json
from datetime import date, datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.deps import site_of
from api.look_ups import LookUpRoute
from api.problems import answers
from domain.certificates.comparing import compare_lots
from domain.certificates.comparison import MOST, MOST_VIALS
from domain.certificates.comparison.shapes import Comparison
from domain.certificates.look_up import PublicLot
from domain.certificates.reading import read_certificate
from domain.lots.models import LotState

router = APIRouter(prefix="/api/v1/public", tags=["public"], responses=answers(404, 422, 429), route_class=LookUpRoute)


class LotWanted(BaseModel):
    """A lot of this site, as people type its number; `code`: the check code on its label, where there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lot_number: str = Field(max_length=200)
    code: str = Field(default="", max_length=40)


class ToCompare(BaseModel):
    """Two to five in all: lots of this site, and certificates as their makers publish them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lots: tuple[LotWanted | str, ...] = Field(default=(), max_length=MOST, examples=[["UEV26-0001", "UEV26-0002"]])
    certificates: tuple[dict[str, Any], ...] = Field(
        default=(), max_length=MOST, description="each exactly of the schema /schemas/coa.json"
    )
    vials_per_dose: int | None = Field(default=None, ge=1, le=MOST_VIALS, description="for figures per dose")


class StandingView(BaseModel):
    """How a lot of this site stands today, and which revision of its certificate is the newest."""

    lot_number: str
    state: LotState
    state_since: datetime
    usable: bool
    certificate_state: Literal["current", "withdrawn"]
    newest_revision: int
    recall_class: str | None
    expires_on: date


class ComparedView(BaseModel):
    """The live state of each lot first, in the order of the columns (null for a file that was not issued here: it is as given, and not verified)."""

    standings: list[StandingView | None]
    comparison: Comparison


@router.post("/compare")
def compare(body: ToCompare, request: Request, response: Response) -> ComparedView:
    """Figures side by side on one scale, graded by how far they can be compared; no winner is named. Nothing is kept.

    Lots that are unknown or not released answer as in the look-up.
    """
    site = site_of(request)
    lots = [(one, "") if isinstance(one, str) else (one.lot_number, one.code) for one in body.lots]
    files = [
        read_certificate(json.dumps(plain).encode(), f"certificates.{place}")
        for place, plain in enumerate(body.certificates)
    ]
    found = compare_lots(site.engine, lots, files, site.today(), body.vials_per_dose)
    response.headers["Cache-Control"] = "no-store"
    standings = [_standing(lot) if lot is not None else None for lot in found.standings]
    return ComparedView(standings=standings, comparison=found.comparison)


def _standing(lot: PublicLot) -> StandingView:
    return StandingView(
        lot_number=lot.lot_number,
        state=lot.state,
        state_since=lot.since,
        usable=lot.usable,
        certificate_state="withdrawn" if lot.withdrawn else "current",
        newest_revision=lot.revision,
        recall_class=lot.recall_class if lot.state is LotState.RECALLED else None,
        expires_on=lot.expires_on,
    )
