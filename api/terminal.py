"""What the command line says, line by line."""

import typer
from rich.console import Console
from rich.text import Text

from domain.errors import Reason

console = Console()


def say(text: str, style: str = "") -> None:
    """One line as it is: no markup is read in it (`[pH]` is a unit) and nothing is wrapped."""
    console.print(Text(text, style), soft_wrap=True)


def stop(reasons: tuple[Reason, ...]) -> typer.Exit:
    """Say every reason, in red; what to raise then."""
    for reason in reasons:
        say(f"{reason.code}: {reason.text}" + (f" ({reason.field})" if reason.field else ""), "red")
    return typer.Exit(1)
