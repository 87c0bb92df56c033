"""What followers of a lot are told: the letter for a mail server, and the message for a webhook. Both tell the state of the moment they are sent."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from api.letter_words import EVENTS, STATES, WORDS, Language
from api.mail import Mail, Undelivered
from api.webhooks import CHALLENGE_SECONDS, Gone, Webhooks, proof_of_secret
from domain.certificates.following import LETTER, Channel
from domain.certificates.letters import (
    Address,
    Answered,
    Letter,
    address_letter,
    confirm_webhook,
    drop_follower,
)
from domain.certificates.look_up import PublicLot
from domain.jobs import Handler
from domain.lots.models import LotState
from domain.people.operations import NOBODY
from domain.work import Profile, Site, perform
from reports.wording import at_site

#: What a message of a webhook is called.
TYPES = {
    "confirm": "follow.challenge",
    "hold": "lot.held",
    "hold_lifted": "lot.hold_lifted",
    "recall": "lot.recalled",
    "revision": "certificate.revised",
    "withdrawal": "certificate.withdrawn",
}

#: A header that is longer than a line would be encoded, and no mail program finds an address in what is encoded.
_UNFOLDED = SMTP.clone(max_line_length=900)

_PAGES = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_PLAIN = Environment(autoescape=False, undefined=StrictUndefined, trim_blocks=True)  # noqa: S701 - text, no page

_TEXT = _PLAIN.from_string(
    """{{ lead }}

{{ button }}:
{{ link }}

{% if event != "confirm" %}
{{ say.now }}: {{ state }}

{% endif %}
{{ maker.name }}, {{ maker.address }}
{{ [maker.phone, maker.email]|select|join(" · ") }}

--\x20
{{ say.why }}
{{ say.unfollow }}: {{ unfollow }}
"""
)
_HTML = _PAGES.from_string(
    """<!doctype html>
<html lang="{{ language }}"><head><meta charset="utf-8"><title>{{ subject }}</title></head>
<body style="margin:0;padding:24px;background:#f1f6f6;color:#14242b;font:16px/1.5 system-ui,'Segoe UI',Roboto,sans-serif">
<div style="max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border-top:6px solid {{ colour }}">
<h1 style="margin:0 0 12px;font-size:22px;line-height:1.25;color:{{ colour }}">{{ subject }}</h1>
<p style="margin:0 0 16px">{{ lead }}</p>
{% if event != "confirm" %}
<p style="margin:0 0 16px">{{ say.now }}: <strong>{{ state }}</strong></p>
{% endif %}
<p style="margin:0 0 24px"><a href="{{ link }}" style="display:inline-block;padding:12px 20px;background:#0b5e65;color:#ffffff;\
font-weight:700;text-decoration:none;border-radius:6px">{{ button }}</a></p>
<p style="margin:0 0 16px;color:#44555c">{{ maker.name }}, {{ maker.address }}<br>{{ [maker.phone, maker.email]|select|join(" · ") }}</p>
<p style="margin:0;padding-top:12px;border-top:1px solid #cbd7da;color:#44555c;font-size:14px">{{ say.why }} \
<a href="{{ unfollow }}" style="color:#0b5e65">{{ say.unfollow }}</a></p>
</div></body></html>
"""
)


def unfollow_url(profile: Profile, token: str) -> str:
    """Where one ends following: a page with a button, and the address of one-click unsubscribing (RFC 8058)."""
    return f"{profile.base_url.rstrip('/')}/unfollow/{token}"


def look_up_url(profile: Profile, lot_number: str) -> str:
    """The page of the lot."""
    return f"{profile.base_url.rstrip('/')}/c/{quote(lot_number)}"


def mail_of(letter: Letter, profile: Profile, mail: Mail, now: datetime) -> EmailMessage:
    """The letter as mail: text and page in the follower's language, with the headers of one-click unsubscribing."""
    words, event = WORDS[letter.language], EVENTS[letter.language][letter.event]
    local = at_site(letter.at, profile.time_zone)
    named = (
        f" ({words['class']} {letter.lot.recall_class})" if letter.event == "recall" and letter.lot.recall_class else ""
    )
    facts = {"lot": letter.lot.lot_number, "at": f"{local:%Y-%m-%d %H:%M}", "class": named}
    asks = letter.confirm is not None
    page = f"/follow/{letter.confirm}" if asks else f"/c/{quote(letter.lot.lot_number)}"
    link = f"{profile.base_url.rstrip('/')}{page}?lang={letter.language}"
    shown: dict[str, Any] = {
        "subject": event.subject.format(**facts),
        "lead": event.lead.format(**facts),
        "event": letter.event,
        "colour": event.colour,
        "button": words["confirm"] if asks else words["look"],
        "link": link,
        "state": _state(letter.lot, letter.language),
        "unfollow": unfollow_url(profile, letter.unfollow),
        "say": words,
        "maker": profile,
        "language": letter.language,
    }
    message = EmailMessage(policy=_UNFOLDED)
    message["From"], message["To"], message["Subject"] = mail.sender, letter.address, shown["subject"]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{letter.message}.{secrets.token_hex(6)}@{mail.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{shown['unfollow']}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(_TEXT.render(shown), cte="quoted-printable")
    message.add_alternative(_HTML.render(shown), subtype="html", cte="quoted-printable")
    message["Content-Language"] = letter.language  # set_content takes off what begins with Content-
    return message


def _state(lot: PublicLot, language: Language) -> str:
    """The state with all that keeps the lot from being used as released."""
    words = WORDS[language]
    said = [STATES[language].get(lot.state, words["not_released"])]
    if lot.withdrawn:
        said.append(words["withdrawn"])
    if lot.awaited is not None and lot.state is LotState.RELEASED:
        said.append(words["overdue" if lot.overdue else "awaited"].format(due=lot.awaited.due_on.isoformat()))
    return "; ".join(said)


def message_of(letter: Letter, profile: Profile, challenge: str) -> dict[str, Any]:
    """The body of a webhook: what happened, and the lot as it is now; what else is wanted is looked up."""
    lot = letter.lot
    said: dict[str, Any] = {
        "lot_number": lot.lot_number,
        "state": lot.state.value,
        "usable": lot.usable,
        "certificate_number": lot.certificate_number,
        "revision": lot.revision,
        "certificate_state": lot.newest.standing,
        "awaited_until": lot.awaited.due_on.isoformat() if lot.awaited else None,
        "look_up_url": look_up_url(profile, lot.lot_number),
        "unfollow_url": unfollow_url(profile, letter.unfollow),
    }
    if letter.event == "confirm":
        said = {"lot_number": lot.lot_number, "challenge": challenge, "unfollow_url": said["unfollow_url"]}
    return {"type": TYPES[letter.event], "timestamp": letter.at.isoformat(), "data": said}


def deliver(mail: Mail | None, webhooks: Webhooks, site: Site, payload: dict[str, Any]) -> None:
    """Send one letter to one follower, unless it unfollowed meanwhile. Raises Undelivered; then it is tried again."""
    letter = perform(site, NOBODY, address_letter, Address.model_validate(payload))
    if letter is None:
        return
    if letter.channel is Channel.WEBHOOK:
        _post(webhooks, site, letter, payload["follower"])
    elif mail is None:
        raise Undelivered("no mail server is set (EXOLOTL_SMTP_URL, EXOLOTL_MAIL_FROM)")
    else:
        mail.send(mail_of(letter, site.profile, mail, site.clock()))


def _post(webhooks: Webhooks, site: Site, letter: Letter, follower: str) -> None:
    challenge, asks = secrets.token_urlsafe(24), letter.event == "confirm"
    assert letter.secret is not None, "a webhook has a secret"
    said = message_of(letter, site.profile, challenge)
    seconds = CHALLENGE_SECONDS if asks else None
    try:
        answer = webhooks.send(letter.address, letter.secret, letter.message, said, site.clock(), seconds)
    except Gone:
        perform(site, NOBODY, drop_follower, Answered(follower=follower))
        return
    if asks:
        if not _proves(answer, proof_of_secret(letter.secret, challenge)):
            raise Undelivered("the endpoint did not answer the challenge with its HMAC")
        perform(site, NOBODY, confirm_webhook, Answered(follower=follower))


def _proves(answer: bytes, wanted: str) -> bool:
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    given = said.get("hmac") if isinstance(said, dict) else None
    return isinstance(given, str) and secrets.compare_digest(given.encode(), wanted.encode())


def handlers(mail: Mail | None, webhooks: Webhooks) -> Mapping[str, Handler]:
    """What the worker does for followers."""
    return {LETTER: partial(deliver, mail, webhooks)}
