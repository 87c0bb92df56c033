"""Every setting, read from EXOLOTL_… variables; the table in the README is checked against this class."""

from functools import cache
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.exc import ArgumentError

from api import keys
from api.mail import Mail, checked_sender
from api.rate_limits import IN_MEMORY, Budget, Proxies, Rules, limits_of, store_of
from domain.documents import Documents
from domain.errors import Invalid
from domain.lots.numbers import checked_scheme
from domain.store import engine_for
from domain.work import Place, Profile, Site
from reports.labels import print_labels
from reports.look import Look
from reports.press import Press

#: What batch certificates of the demo name; like everything there it is invented.
DEMO_LICENCE = "DE_XX_00_MIA_0000 (invented)"


class Settings(BaseSettings):
    """Settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="EXOLOTL_", extra="ignore", hide_input_in_errors=True)

    database_url: str = Field(
        default="sqlite:///data/exolotl.db", description="`sqlite:///path` or `postgresql+psycopg://…`"
    )
    documents_url: str = Field(default="data/documents", description="a folder, or `s3://bucket/prefix?endpoint=…`")
    base_url: str = Field(
        default="", description="where clinics reach this server: it is in every QR code; needed to release"
    )
    site_name: str = Field(
        default="", description="the manufacturer, as printed on certificates (ICH Q7 11.44); needed to release"
    )
    site_tagline: str = Field(default="", description="a line below the name")
    site_address: str = Field(default="", description="the manufacturer's address (ICH Q7 11.44); needed to release")
    site_phone: str = Field(default="", description="the manufacturer's telephone (ICH Q7 11.44); needed to release")
    site_email: str = Field(default="", description="whom a clinic writes to, also about a recall")
    site_licence: str = Field(default="", description="manufacturing licence, if there is one")
    site_places: tuple[Place, ...] = Field(
        default=(),
        description="sites that make and test, for batch certificates, as JSON:"
        ' `[{"name": …, "address": …, "activity_en": …, "activity_de": …, "licence": …}]`; none: the manufacturer alone',
    )
    site_time_zone: str = Field(
        default="Europe/Berlin", description="a lot expires at the end of its expiry date in this zone"
    )
    lot_scheme: str = Field(
        default="{series}{year:02d}-{count:04d}",
        description="lot numbers: `{series}`, `{year}`, `{count}`; at most 20 characters",
    )
    look_theme: str = Field(
        default="petrol", description="how documents look: `petrol`, or `plain`, which takes little ink"
    )
    look_paper: str = Field(default="a4", description="`a4` or `letter`")
    look_accent: str = Field(
        default="", description="a colour as `#0E4F5A` in place of the theme's; white text must be readable on it"
    )
    look_logo: str = Field(default="", description="your logo: an SVG file of plain shapes, or a PNG file")
    look_languages: str = Field(default="en,de", description="one or two languages of documents, the leading one first")
    threads: int = Field(
        default=0,
        ge=0,
        le=100,
        description="requests worked on at once, and look-ups beside them; 0: 2 on SQLite, 10 on PostgreSQL",
    )
    rate_lookups: str = Field(
        default="60/minute",
        description="look-ups and downloads by one address; several limits as `60/minute; 1000/day`, or `off`",
    )
    rate_verify: str = Field(default="20/minute", description="files checked for one address")
    rate_follow: str = Field(default="30/hour", description="lots followed by one address")
    rate_compare: str = Field(default="30/minute", description="comparisons by one address")
    rate_sign_in: str = Field(default="30/minute", description="attempts to sign in by one address")
    rate_store: str = Field(
        default=IN_MEMORY,
        description="where is counted: `memory://` in each process, `redis://host:6379/0` for all together",
    )
    trusted_proxies: str = Field(
        default="",
        description="proxies of yours in front of the server: how many, or their addresses as `10.0.0.0/8, 192.0.2.7`",
    )
    smtp_url: str = Field(
        default="", description="for letters to followers: `smtp://user:password@host:587?starttls=1` or `smtps://…`"
    )
    mail_from: str = Field(default="", description="whom letters to followers come from")
    webhooks_may_be_local: bool = Field(
        default=False, description="for tests only: webhooks may reach loopback addresses and any port"
    )
    signing_pkcs12: str = Field(
        default="",
        description="the key that signs certificates: a PKCS#12 file with its certificate and those above it",
    )
    signing_password: str = Field(default="", description="the password of that file", repr=False)
    signing_pkcs11: str = Field(
        default="", description="or a key on a token: the PKCS#11 module, as `/usr/lib/softhsm/libsofthsm2.so`"
    )
    signing_token: str = Field(default="", description="the label of the token")
    signing_key: str = Field(default="", description="the label of the key and of its certificate on the token")
    signing_pin: str = Field(default="", description="the PIN of the token", repr=False)
    signing_level: Literal["b", "lta"] = Field(
        default="b",
        description="`b`: PAdES B-B, or B-T with a time-stamp; `lta`: with all that a check in many years needs",
    )
    timestamp_url: str = Field(
        default="", description="a time-stamp authority (RFC 3161); its root must be in `EXOLOTL_TRUSTED`"
    )
    trusted: str = Field(
        default="",
        description="a PEM file of roots, of signing certificates used before, and of public keys that the log was signed with before",
    )
    log_key: str = Field(
        default="",
        description="the key of the public log: a PEM file with an Ed25519 key; needed to issue, withdraw and recall",
    )
    keys: str = Field(
        default="data/keys", description="a folder: in demo mode, keys that are not set are made and kept there"
    )
    demo: bool = Field(
        default=False, description="demo mode: the demo cast can sign in; never set it where real lots are"
    )

    @field_validator("database_url")
    @classmethod
    def _database_is_one(cls, url: str) -> str:
        try:
            engine_for(url).dispose()
        except (ValueError, ArgumentError, ModuleNotFoundError):
            raise ValueError("a database is sqlite:///path or postgresql+psycopg://user:password@host/name") from None
        return url

    @field_validator("site_time_zone")
    @classmethod
    def _zone_is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{zone!r} is no time zone such as Europe/Berlin") from error
        return zone

    @field_validator("lot_scheme")
    @classmethod
    def _scheme_gives_numbers(cls, scheme: str) -> str:
        try:
            checked_scheme(scheme)
        except Invalid as error:
            raise ValueError(str(error)) from error
        return scheme

    @field_validator("rate_lookups", "rate_verify", "rate_follow", "rate_compare", "rate_sign_in")
    @classmethod
    def _limit_is_one(cls, text: str) -> str:
        limits_of(text)
        return text

    @field_validator("rate_store")
    @classmethod
    def _store_is_known(cls, url: str) -> str:
        store_of(url)
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, text: str) -> str:
        Proxies.parse(text)
        return text

    @field_validator("smtp_url")
    @classmethod
    def _mail_goes_somewhere(cls, url: str) -> str:
        if url:
            Mail.parse(url, "")
        return url

    @field_validator("mail_from")
    @classmethod
    def _letters_come_from_an_address(cls, sender: str) -> str:
        return checked_sender(sender)

    @model_validator(mode="after")
    def _documents_can_look_so(self) -> Self:
        try:
            self.look()
        except Invalid as error:
            raise ValueError(str(error)) from error
        return self

    @model_validator(mode="after")
    def _keys_can_be_meant(self) -> Self:
        keys.check_settings(self)
        return self

    def rate_rules(self) -> Rules:
        """How often one address may ask."""
        budgets = {budget: limits_of(getattr(self, f"rate_{budget}")) for budget in Budget}
        return Rules(budgets, self.rate_store, Proxies.parse(self.trusted_proxies))

    def mail(self) -> Mail | None:
        """Where letters to followers are handed in; None: following by mail is not set up."""
        return Mail.parse(self.smtp_url, self.mail_from) if self.smtp_url and self.mail_from else None

    def profile(self) -> Profile:
        """What certificates and lot numbers need of the settings; in demo mode what is not set is the demo laboratory's."""
        given = {
            "name": self.site_name,
            "tagline": self.site_tagline,
            "address": self.site_address,
            "phone": self.site_phone,
            "email": self.site_email,
            "base_url": self.base_url,
        }
        if self.demo:
            given = {name: value for name, value in given.items() if value}
        return Profile(
            **given,
            licence=self.site_licence or (DEMO_LICENCE if self.demo else None),
            places=self.site_places,
            signs=keys.signs(self),
            time_zone=self.site_time_zone,
            lot_scheme=self.lot_scheme,
            demo=self.demo,
        )

    def look(self) -> Look:
        """How documents look. Raises Invalid, or ValueError where the logo cannot be opened."""
        try:
            logo = Path(self.look_logo).read_bytes() if self.look_logo else None
        except OSError as error:
            raise ValueError(f"the logo {self.look_logo} cannot be opened ({error.strerror})") from error
        languages = tuple(language.strip() for language in self.look_languages.split(","))
        return Look(self.look_theme, self.look_paper, self.look_accent or None, logo, languages)

    def worker_threads(self) -> int:
        """SQLite: two, as more only wait for the one writer (measured: p99 of a commit 737 against 52 ms)."""
        return self.threads or (2 if self.database_url.startswith("sqlite") else 10)

    def site(self) -> Site:
        """The site these settings describe, with its engine and document store opened."""
        return Site(
            engine_for(self.database_url, pool_size=2 * self.worker_threads() + 4),
            Documents(self.documents_url),
            Press(keys.signer_of(self), self.look()),
            self.profile(),
            log_key=keys.log_key_of(self),
            print_labels=print_labels,
        )


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
