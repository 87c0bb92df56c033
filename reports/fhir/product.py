"""Who made it and what it is: Organization, MedicinalProductDefinition, PackagedProductDefinition, Substance, Medication (the lot), Specimen."""

from urllib.parse import urlsplit

from domain.certificates.content import CertificateContent, Words
from reports.fhir.elements import (
    PQ,
    Element,
    concept,
    element,
    extension,
    in_both,
    own_coding,
    reference,
    written,
)

GTIN = "https://www.gs1.org/gtin"


def maker_space(content: CertificateContent, what: str) -> str:
    """The system of the maker's own numbers: they are unique at its address, `https://maker.example/lots`."""
    address = urlsplit(content.look_up_url)
    return f"{address.scheme}://{address.netloc}/{what}"


def organization(content: CertificateContent) -> Element:
    """The manufacturer, with its licence."""
    maker = content.manufacturer
    telecom = [
        {"system": system, "value": value}
        for system, value in (("phone", maker.phone), ("email", maker.email))
        if value
    ]
    licence = {"identifier": [{"value": maker.licence}], "code": concept(text="Manufacturing licence")}
    return element(
        active=True,
        name=maker.name,
        description=maker.tagline,
        contact=[element(telecom=telecom, address=element(text=maker.address))],
        qualification=[licence] if maker.licence else None,
    )


def product(content: CertificateContent) -> Element:
    """The product: name in both languages, route, what it is before the law, composition and reconstitution."""
    shown = content.product
    described = (
        ("strength", "Strength", shown.strength),
        ("composition", "Composition", shown.composition),
        ("fill-volume", "Fill volume", shown.fill_volume),
    )
    characteristics = [
        element(type=concept(own_coding("characteristic", code, name)), valueQuantity=written(text))
        if written(text)
        else element(type=concept(own_coding("characteristic", code, name)), valueMarkdown=text)
        for code, name, text in described
        if text
    ]
    reconstitution = concept(own_coding("characteristic", "reconstitution", "Reconstitution"))
    characteristics.append({"type": reconstitution, "valueCodeableConcept": concept(text=shown.reconstitution)})
    status = own_coding("regulatory-status", shown.regulatory_status)
    return element(
        identifier=[{"system": maker_space(content, "products"), "value": shown.code}],
        **in_both("description", shown.regulatory_notice),
        combinedPharmaceuticalDoseForm=concept(text=shown.form),
        route=[concept(text=shown.route)],
        classification=[concept(status, text=shown.regulatory_notice)],
        name=[_named(shown.name.en, "en"), *([_named(shown.name.de, "de")] if shown.name.de else [])],
        characteristic=characteristics,
    )


def _named(name: str, language: str) -> Element:
    usage = {
        "country": concept(text="All countries"),
        "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": language}]},
    }
    return {"productName": name, "usage": [usage]}


def package(content: CertificateContent, product_id: str) -> Element:
    """The container, its GTIN, and how it is stored and for how long."""
    shown = content.product
    life = {
        "type": concept(text="Shelf life"),
        "periodString": content.lot.shelf_life,
        "specialPrecautionsForStorage": [concept(text=shown.storage)],
    }
    return element(
        identifier=[{"system": GTIN, "value": shown.gtin}] if shown.gtin else None,
        packageFor=[reference(product_id)],
        packaging={"type": concept(text=shown.container), "shelfLifeStorage": [life]},
    )


def substance(content: CertificateContent) -> Element:
    """What the vesicles were won from: tissue, banks and age of the cells, never the donor."""
    origin = content.origin
    facts = [
        {"url": "tissue", "valueCodeableConcept": concept(text=origin.tissue)},
        {"url": "donorEligibility", "valueCodeableConcept": concept(text=origin.donor_eligibility)},
    ]
    facts += [
        {"url": name, "valueString": value}
        for name, value in (("passage", origin.passage), ("populationDoublings", origin.population_doublings))
        if value
    ]
    text = Words(
        en=f"Extracellular vesicles of {origin.tissue.en}", de=f"Extrazelluläre Vesikel aus {origin.tissue.de}"
    )
    return element(
        extension=[extension("origin", extension=facts)],
        identifier=[{"system": maker_space(content, "lots"), "value": bank} for bank in origin.cell_banks],
        instance=True,
        category=[
            concept({"system": "http://terminology.hl7.org/CodeSystem/substance-category", "code": "biological"})
        ],
        code={"concept": concept(text=text)},
    )


def lot(content: CertificateContent, product_id: str, substance_id: str, maker_id: str) -> Element:
    """The lot: a Medication with its batch (number, dates, size, container), as in the guide."""
    shown, what = content.lot, content.product
    made = element(
        url="http://hl7.org/fhir/StructureDefinition/medication-manufacturingBatch",
        extension=[
            {"url": "manufacturingDate", "valueDateTime": shown.manufactured_on.isoformat()},
            *([{"url": "batchQuantity", "valueQuantity": size}] if (size := written(shown.quantity)) else []),
            {"url": "assignedManufacturer", "valueReference": reference(maker_id)},
            {
                "url": "container",
                "extension": [{"url": "closureSystemDescription", "valueString": what.container}],
            },
        ],
    )
    released = {
        "url": f"{PQ}/Extension-batch-release-date-pq",
        "valueDateTime": shown.released_at.isoformat() if shown.released_at else None,
    }
    gtin = [{"system": GTIN, "code": what.gtin}] if what.gtin else []
    return element(
        identifier=[{"system": maker_space(content, "lots"), "value": shown.number}],
        code=concept(*gtin, text=what.name),
        status="active",
        doseForm=concept(text=what.form),
        totalVolume=written(what.fill_volume),
        ingredient=[{"item": {"reference": reference(substance_id)}, "isActive": True}],
        batch={
            "extension": [made, released],
            "lotNumber": shown.number,
            "expirationDate": shown.expires_on.isoformat(),
        },
        definition=reference(product_id),
    )


def specimen(lot_id: str) -> Element:
    """What was tested: a sample of the lot."""
    return element(type=concept(text="Sample of the lot"), subject=reference(lot_id))
