"""The words of letters to followers, in both languages. Nothing that a person wrote about a lot is in them."""

from typing import Literal, NamedTuple

from domain.lots.models import LotState

Language = Literal["en", "de"]


class Event(NamedTuple):
    """What happened: subject and first sentence, with `{lot}`, `{at}` and `{class}`, and the colour of the heading."""

    subject: str
    lead: str
    colour: str


_RED, _AMBER, _GREEN, _TEAL = "#8f1511", "#6f3b00", "#0f5c33", "#0b5e65"

EVENTS: dict[Language, dict[str, Event]] = {
    "en": {
        "confirm": Event(
            "Follow lot {lot}: please confirm",
            "Somebody, hopefully you, wants this address to be told when lot {lot} is put on hold or recalled, or when its certificate changes."
            " Confirm it within 48 hours. If it was not you, do nothing: the address is then forgotten.",
            _TEAL,
        ),
        "hold": Event(
            "Lot {lot}: on hold",
            "Lot {lot} was put on hold on {at}. Do not use it; keep the vials apart until the hold is lifted.",
            _AMBER,
        ),
        "hold_lifted": Event("Lot {lot}: hold lifted", "The hold on lot {lot} was lifted on {at}.", _GREEN),
        "recall": Event(
            "Lot {lot}: RECALLED",
            "Lot {lot} was recalled on {at}{class}. Do not use it, keep the vials apart, and contact the manufacturer.",
            _RED,
        ),
        "revision": Event(
            "Lot {lot}: new revision of the certificate",
            "A new revision of the certificate of lot {lot} was issued on {at}. Earlier revisions no longer count.",
            _TEAL,
        ),
        "withdrawal": Event(
            "Lot {lot}: certificate withdrawn",
            "The certificate of lot {lot} was withdrawn on {at}. Do not use the lot until another certificate is issued.",
            _RED,
        ),
    },
    "de": {
        "confirm": Event(
            "Charge {lot} verfolgen: bitte bestätigen",
            "Jemand, hoffentlich Sie, möchte an diese Adresse Nachricht erhalten, wenn Charge {lot} gesperrt oder zurückgerufen wird oder sich"
            " ihr Zertifikat ändert. Bestätigen Sie es innerhalb von 48 Stunden. Waren Sie es nicht, tun Sie nichts: Die Adresse wird dann"
            " vergessen.",
            _TEAL,
        ),
        "hold": Event(
            "Charge {lot}: gesperrt",
            "Charge {lot} wurde am {at} gesperrt. Wenden Sie sie nicht an; bewahren Sie die Vials bis zur Aufhebung der Sperre getrennt auf.",
            _AMBER,
        ),
        "hold_lifted": Event(
            "Charge {lot}: Sperre aufgehoben", "Die Sperre der Charge {lot} wurde am {at} aufgehoben.", _GREEN
        ),
        "recall": Event(
            "Charge {lot}: ZURÜCKGERUFEN",
            "Charge {lot} wurde am {at} zurückgerufen{class}. Wenden Sie sie nicht an, bewahren Sie die Vials getrennt auf und wenden Sie sich"
            " an den Hersteller.",
            _RED,
        ),
        "revision": Event(
            "Charge {lot}: neue Revision des Zertifikats",
            "Am {at} wurde eine neue Revision des Zertifikats der Charge {lot} ausgestellt. Frühere Revisionen gelten nicht mehr.",
            _TEAL,
        ),
        "withdrawal": Event(
            "Charge {lot}: Zertifikat zurückgezogen",
            "Das Zertifikat der Charge {lot} wurde am {at} zurückgezogen. Wenden Sie die Charge nicht an, bis ein anderes ausgestellt ist.",
            _RED,
        ),
    },
}

STATES: dict[Language, dict[LotState, str]] = {
    "en": {
        LotState.RELEASED: "released",
        LotState.ON_HOLD: "on hold",
        LotState.RECALLED: "recalled",
        LotState.EXPIRED: "expired",
    },
    "de": {
        LotState.RELEASED: "freigegeben",
        LotState.ON_HOLD: "gesperrt",
        LotState.RECALLED: "zurückgerufen",
        LotState.EXPIRED: "verfallen",
    },
}

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "now": "When this letter was sent, the lot was",
        "not_released": "not released",
        "withdrawn": "its certificate was withdrawn",
        "awaited": "under the condition that what was awaited until {due} complies",
        "overdue": "but what was awaited until {due} is not there: do not use it",
        "class": "class",
        "confirm": "Confirm and follow the lot",
        "look": "Look up the lot as it is now",
        "why": "You get this letter because this address follows the lot. It is stored for nothing else.",
        "unfollow": "Stop following and remove the address",
    },
    "de": {
        "now": "Als dieser Brief gesendet wurde, war die Charge",
        "not_released": "nicht freigegeben",
        "withdrawn": "ihr Zertifikat war zurückgezogen",
        "awaited": "unter der Bedingung, dass entspricht, was bis {due} erwartet wurde",
        "overdue": "aber was bis {due} erwartet wurde, liegt nicht vor: Wenden Sie sie nicht an",
        "class": "Klasse",
        "confirm": "Bestätigen und die Charge verfolgen",
        "look": "Die Charge nachschlagen, wie sie jetzt ist",
        "why": "Sie erhalten diesen Brief, weil diese Adresse die Charge verfolgt. Sie wird für nichts anderes gespeichert.",
        "unfollow": "Nicht mehr verfolgen und die Adresse entfernen",
    },
}
