"""From the records to what a label says; what a label must carry and the records do not give is refused by name."""

from datetime import date

from sqlmodel import Session, col, select

from domain.certificates.compose import look_up_url, product_shown
from domain.errors import Reason, Refused
from domain.gs1 import digital_link, element_string
from domain.labels.content import LabelContent, LabelKind, LabelLanguage
from domain.laboratory.models import Sample
from domain.lots.models import Lot, LotKind, LotState, Product, RegulatoryStatus, Yield
from domain.manufacturing.catalogue import step_kind
from domain.manufacturing.ending import add_months
from domain.manufacturing.models import Step
from domain.manufacturing.readings import consumed
from domain.work import Profile, Site

#: The layout of each kind; a changed layout is a new version.
TEMPLATES: dict[LabelKind, str] = {"vial": "VIAL-1", "carton": "CARTON-1", "sample": "SAMPLE-1"}

#: What the product is before the law, in few words, English and German; the certificate says more.
NOTICES: dict[RegulatoryStatus, tuple[str, str]] = {
    RegulatoryStatus.RESEARCH_USE: ("For research use only", "Nur für Forschungszwecke"),
    RegulatoryStatus.INVESTIGATIONAL: ("For clinical trial use only", "Zur klinischen Prüfung bestimmt"),
    RegulatoryStatus.NAMED_PATIENT: ("For a named patient only", "Nur für eine namentlich genannte Person"),
    RegulatoryStatus.LICENSED: ("Authorisation", "Zulassung"),
}

#: Lots in these states get no labels: nothing of them is to be handed out.
_BARRED = (LotState.REJECTED, LotState.ON_HOLD, LotState.RECALLED, LotState.EXPIRED)


def product_labels(
    session: Session,
    site: Site,
    lot: Lot,
    state: LotState,
    kind: LabelKind,
    language: LabelLanguage,
    count: int,
    first_serial: int | None,
) -> LabelContent:
    """What the labels of vials or cartons of a drug product say.

    Raises Refused: `labels-only-of-drug-product`, `labels-barred`, `label-incomplete`; Invalid where a code cannot hold a number.
    """
    if lot.kind is not LotKind.DRUG_PRODUCT or lot.product_id is None:
        text = f"lot {lot.lot_number} is {lot.kind.value}; only a drug product gets {kind} labels, its samples get sample labels"
        raise Refused(Reason("labels-only-of-drug-product", text))
    if state in _BARRED:
        raise Refused(Reason("labels-barred", f"lot {lot.lot_number} is {state.value}: no labels are printed for it"))
    product = session.get_one(Product, lot.product_id)
    expires_on = expiry_of(session, lot, product)
    if expires_on is None:
        text = f"the label needs the expiry date of lot {lot.lot_number}, and nothing recorded gives it yet"
        raise Refused(Reason("label-incomplete", text))
    if first_serial is not None and product.gtin is None:
        text = f"a serial number belongs to a GTIN, and product {product.code} has none"
        raise Refused(Reason("label-incomplete", text, "serialised"))
    shown = product_shown(product)
    code = product.gtin and element_string(product.gtin, lot.lot_number, expires_on)
    carton = kind == "carton"
    return LabelContent(
        kind=kind,
        template=TEMPLATES[kind],
        language=language,
        count=count,
        lot_number=lot.lot_number,
        expires_on=expires_on,
        product_name=getattr(shown.name, language),
        form=getattr(shown.form, language) if carton else None,
        strength=shown.strength,
        storage=getattr(shown.storage, language),
        route=getattr(shown.route, language),
        notice=_notice(product, language),
        manufacturer=_manufacturer(site.profile) if carton else site.profile.name,
        check_code=lot.check_code if product.look_up_code else None,
        element_string=code or None,
        plain_code=None if code else lot.lot_number,
        look_up=_look_up(site.profile, product, lot, expires_on) if carton else None,
        first_serial=first_serial,
        sample_number=None,
        sample_purpose=None,
        sampled_on=None,
        demonstration=site.profile.demo,
    )


def sample_labels(site: Site, lot: Lot, sample: Sample, language: LabelLanguage, count: int) -> LabelContent:
    """What the labels of a sample's containers say: its number, also as a plain DataMatrix, and what it was taken of."""
    return LabelContent(
        kind="sample",
        template=TEMPLATES["sample"],
        language=language,
        count=count,
        lot_number=lot.lot_number,
        expires_on=None,
        product_name=None,
        form=None,
        strength=None,
        storage=None,
        route=None,
        notice=None,
        manufacturer=site.profile.name,
        check_code=None,
        element_string=None,
        plain_code=sample.number,
        look_up=None,
        first_serial=None,
        sample_number=sample.number,
        sample_purpose=sample.purpose,
        sampled_on=site.today(sample.taken_at),
        demonstration=site.profile.demo,
    )


def expiry_of(session: Session, lot: Lot, product: Product) -> date | None:
    """The expiry of a lot; while its vials are still being packed, the date that the step will give it, unless somebody shortens it then."""
    if lot.expires_on is not None:
        return lot.expires_on
    step = session.exec(select(Step).join(Yield).where(col(Yield.lot_id) == lot.key)).first()
    if step is None:
        return None
    rule = step_kind(step.kind).expiry
    carried = [parent for parent in consumed(session, step.key) if parent.kind in rule.not_after_parent]
    made = [parent.manufactured_on for parent in carried if parent.manufactured_on is not None]
    if not rule.product_shelf_life or not made:
        return None
    bounds = [parent.expires_on for parent in carried if parent.expires_on is not None]
    return min([*bounds, add_months(min(made), product.shelf_life_months)])


def _notice(product: Product, language: LabelLanguage) -> str:
    words = NOTICES[product.regulatory_status][language == "de"]
    if product.regulatory_status is RegulatoryStatus.LICENSED and not product.authorisation:
        raise Refused(Reason("label-incomplete", f"the label needs the authorisation number of product {product.code}"))
    return f"{words} {product.authorisation}" if product.authorisation else words


def _manufacturer(profile: Profile) -> str:
    return f"{profile.name}, {profile.address}"


def _look_up(profile: Profile, product: Product, lot: Lot, expires_on: date) -> str:
    if product.gtin:
        return digital_link(profile.base_url, product.gtin, lot.lot_number, expires_on)
    return look_up_url(profile, lot)
