"""Changes of products: proposed by one person, decided by another."""

# ruff: noqa: B008 - acting() and asking() are declarations that FastAPI reads, like Depends()

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from api.deps import acting, asking, site_of
from api.problems import answers
from domain.disposition.product_changes import (
    DecideProductChange,
    ProductChangeView,
    ProposeProductChange,
    decide_product_change,
    product_changes,
    propose_product_change,
)
from domain.lots.queries import ProductView, product_coded
from domain.signatures import Credentials

router = APIRouter(prefix="/api/v1", tags=["lots"], responses=answers(401, 403, 404, 409, 422))


class ChangeDecision(BaseModel):
    """QA's decision on a proposal; one that is declined says why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    approved: bool = True
    comment: str = Field(default="", max_length=1000)
    credentials: Credentials


@router.get("/products/{code}")
def one_product(code: str, ask: Any = asking()) -> ProductView:
    """A product as it is now."""
    return ask(product_coded, code)  # type: ignore[no-any-return]


@router.get("/products/{code}/changes")
def list_changes(code: str, request: Request, ask: Any = asking()) -> list[ProductChangeView]:
    """Every change that was proposed, newest first, with what differs and the open lots that it touches."""
    return list(ask(product_changes, code, site_of(request).today()))


@router.post("/product-changes", status_code=201)
def propose(
    body: ProposeProductChange, request: Request, act: Any = acting(propose_product_change), ask: Any = asking()
) -> ProductChangeView:
    """Propose a product as it shall be; it stays what it is until QA approves."""
    made = act(body)
    return _shown(ask, request, body.code, made.revision)


@router.post("/products/{code}/changes/{revision}/decision", status_code=201)
def decide(
    code: str,
    revision: int,
    body: ChangeDecision,
    request: Request,
    act: Any = acting(decide_product_change),
    ask: Any = asking(),
) -> ProductChangeView:
    """Approve or decline what somebody else proposed."""
    act(DecideProductChange(code=code, revision=revision, **dict(body)))
    return _shown(ask, request, code, revision)


def _shown(ask: Any, request: Request, code: str, revision: int) -> ProductChangeView:
    found: list[ProductChangeView] = ask(product_changes, code, site_of(request).today())
    return next(one for one in found if one.revision == revision)
