"""The batch certificate: that a batch was made and checked under GMP, by whom it was certified; results stand elsewhere.

Items and their order: the batch certificate of the mutual recognition agreements (EMA/INS/MRA/387218/2011), WHO model batch certificate.
"""

from domain.certificates import words
from domain.certificates.content import BatchCertificateContent, CertificateContent, SiteShown, Words
from domain.lots.models import Product
from domain.work import Place, Profile, Site


def compose_batch(
    site: Site, product: Product, analysis: CertificateContent, register_entry: int, number: str
) -> BatchCertificateContent:
    """The content of the batch certificate that goes with a certificate of analysis, certified by the same signature."""
    return BatchCertificateContent(
        number=number,
        revision=1,
        supersedes=None,
        issued_at=analysis.issued_at,
        time_zone=analysis.time_zone,
        look_up_url=analysis.look_up_url,
        demonstration=analysis.demonstration,
        manufacturer=analysis.manufacturer,
        product=analysis.product,
        importing_country=None,
        authorisation=product.authorisation,
        pack=analysis.product.container,
        lot=analysis.lot,
        sites=tuple(_shown(place) for place in site.profile.places or (_maker(site.profile),)),
        analysis_certificate=f"{analysis.number} rev. {analysis.revision}",
        analysis_sha256=analysis.sha256(),
        register_entry=register_entry,
        comments=words.BATCH_COMMENT,
        statement=words.BATCH_STATEMENT,
        certifier=analysis.signatures[-1],
    )


def _maker(profile: Profile) -> Place:
    return Place(profile.name, profile.address, words.MAKES_AND_TESTS.en, words.MAKES_AND_TESTS.de, profile.licence)


def _shown(place: Place) -> SiteShown:
    activity = Words(en=place.activity_en, de=place.activity_de)
    return SiteShown(name=place.name, address=place.address, activity=activity, licence=place.licence)
