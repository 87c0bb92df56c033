"""A look made ready for drawing: its measures, colours, type and languages; and pairs of languages turned into runs of text."""

from functools import lru_cache

from reportlab.lib.colors import Color

from domain.certificates.content import Words
from reports.catalogue import Pair, Voice
from reports.look import PAPERS, Look, Palette, Tone
from reports.style import INK, MUTED, REGULAR, SEMIBOLD, WHITE, Type
from reports.text import Block, Run

MARGIN = 42.0

CELL = Type(REGULAR, 8.6, 10.4, INK)
STRONG = CELL.but(font=SEMIBOLD)
BODY = Type(REGULAR, 8.6, 11, INK)
BODY_SECOND = BODY.but(color=MUTED)
SMALL = Type(REGULAR, 7.2, 8.8, MUTED)
SMALL_INK = SMALL.but(color=INK)
TINY = Type(REGULAR, 6.5, 8, MUTED)
LABEL = Type(REGULAR, 6.5, 11, MUTED)  # above a value, with air before it


class Design:
    """What everything on the pages of one document is drawn with."""

    def __init__(self, look: Look):
        self.look = look
        self.palette: Palette = look.palette()
        self.voice = Voice(look.languages)
        self.page_width, self.page_height = PAPERS[look.paper]
        self.width = self.page_width - 2 * MARGIN
        self.heading = Type(SEMIBOLD, 12, 14.5, self.palette.deep)
        self.heading_second = Type(REGULAR, 10, 12, MUTED)
        self.link = STRONG.but(color=self.palette.link)
        filled = self.palette.filled
        #: Text in the head of a table, and in a band.
        self.on_deep: Color = WHITE if filled else self.palette.deep
        self.on_deep_second: Color = self.palette.pale if filled else MUTED

    @property
    def language(self) -> str:
        """The leading language of the document."""
        return self.look.languages[0]

    def tone(self, name: str) -> Tone:
        """The colours of how something stands: good, warn, bad, calm."""
        return self.palette.tones[name]

    def say(self, key: str, **facts: str | int | Pair) -> Pair:
        """Fixed words (`Voice.say`)."""
        return self.voice.say(key, **facts)

    def both(self, key: str, **facts: str | int | Pair) -> str:
        """Fixed words of both languages in one line of plain text."""
        return in_one(self.say(key, **facts))

    def of(self, words: Words | str) -> Pair:
        """Words of the content (`Voice.of`)."""
        return self.voice.of(words)


def below(pair: Pair, first: Type, second: Type = SMALL) -> list[Run]:
    """The second language below the first."""
    return [Run(said.text, second if place else first, said.lang) for place, said in enumerate(pair)]


def beside(pair: Pair, first: Type, second: Type | None = None, joint: str = " / ") -> Block:
    """Both languages in one line."""
    runs: list[Run] = []
    for place, said in enumerate(pair):
        type_ = second if place and second is not None else first
        if place:
            runs.append(Run(joint, type_, said.lang))
        runs.append(Run(said.text, type_, said.lang))
    return tuple(runs)


def in_one(pair: Pair, joint: str = " / ") -> str:
    """Both languages in one line of plain text."""
    return joint.join(said.text for said in pair)


@lru_cache(maxsize=16)
def design(look: Look) -> Design:
    """The design of a look, made once."""
    return Design(look)
