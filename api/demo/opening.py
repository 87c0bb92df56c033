"""The first two days of the demo laboratory: products, methods, specifications, materials."""

from datetime import timedelta

from api.demo.control import introduced
from api.demo.lab import Lab, Story, credentials
from api.demo.laboratory_control import approved_methods, approved_plan, planned
from api.demo.panel import METHODS, panel, swiss_lines
from api.demo.products import ADIPOSE, MATERIALS, PRODUCTS
from domain.certificates.statements import DecideStatement, DraftStatement, approve_statement, draft_statement
from domain.disposition.decisions import AcceptLot, accept_lot
from domain.laboratory.defining import define_method
from domain.laboratory.models import Purpose
from domain.laboratory.specifications import (
    ApproveSpecification,
    DraftSpecification,
    approve_specification,
    draft_specification,
)
from domain.lots.operations import Amount, ReceiveMaterial, define_product, receive_material

COLD_CHAIN = DraftStatement(
    code="ST-COLD-CHAIN",
    text_en="Store and ship at 2 to 8 °C; the record of the temperature logger belongs to the delivery.",
    text_de="Bei 2 bis 8 °C lagern und versenden; die Aufzeichnung des Temperaturloggers gehört zur Lieferung.",
)


SWISS_CODE = f"{ADIPOSE.specification}-CH"


def opening(lab: Lab) -> Story[None]:
    """Products, methods, specifications, a statement and materials of the first two days."""
    yield lab.at(0, "08:00")
    for product in PRODUCTS:
        lab.act("petra", define_product, product.command)
    for method in METHODS:
        lab.act("rhea", define_method, method)
    for product in PRODUCTS:
        lines = tuple(one.criterion for one in panel(product))
        draft = DraftSpecification(
            code=product.specification,
            product_code=product.code,
            purpose=Purpose.RELEASE,
            effective_from=lab.now.date(),
            controlled=True,
            lines=lines,
        )
        lab.act("rhea", draft_specification, draft)
    draft = DraftSpecification(
        code=SWISS_CODE,
        product_code=ADIPOSE.code,
        market="CH",
        effective_from=lab.now.date(),
        controlled=True,
        lines=swiss_lines(ADIPOSE),
    )
    lab.act("rhea", draft_specification, draft)
    planned(lab)
    lab.act("rhea", draft_statement, COLD_CHAIN)
    for key in MATERIALS:
        lab.materials[key] = delivered(lab, MATERIALS[key])
    yield lab.at(1, "08:00")
    approved_methods(lab)
    for code in (*(product.specification for product in PRODUCTS), SWISS_CODE):
        approval = ApproveSpecification(code=code, revision=1, credentials=credentials("cleo"))
        lab.act("cleo", approve_specification, approval)
    approved_plan(lab)
    decision = DecideStatement(code=COLD_CHAIN.code, revision=1, credentials=credentials("cleo"))
    lab.act("cleo", approve_statement, decision)
    for number in lab.materials.values():
        accepted(lab, number, "identity and supplier's certificate comply", "quentin")
    introduced(lab)


def delivered(lab: Lab, material: tuple[str, str, str, str, str]) -> str:
    """A raw material comes in; returns its lot number."""
    name, supplier, supplier_lot, quantity, unit = material
    command = ReceiveMaterial(
        material=name,
        supplier=supplier,
        supplier_lot_number=supplier_lot,
        quantity=Amount(value=quantity, unit=unit),
        expires_on=lab.now.date() + timedelta(days=540),
    )
    return lab.act("tom", receive_material, command).lot_number


def accepted(lab: Lab, lot: str, reason: str, who: str = "cleo") -> None:
    """QA releases an input for use."""
    lab.act(who, accept_lot, AcceptLot(lot_number=lot, reason=reason, credentials=credentials(who)))
