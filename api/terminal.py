"""What the command line says, line by line, and what it says instead of a trace when it cannot do what was typed."""

from typing import Any

import sqlalchemy as sa
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from domain.errors import DomainError, Reason

console = Console()


def say(text: str, style: str = "") -> None:
    """One line as it is: no markup is read in it (`[pH]` is a unit) and nothing is wrapped."""
    console.print(Text(text, style), soft_wrap=True)


def stop(reasons: tuple[Reason, ...]) -> typer.Exit:
    """Say every reason, in red; what to raise then."""
    for reason in reasons:
        say(f"{reason.code}: {reason.text}" + (f" ({reason.field})" if reason.field else ""), "red")
    return typer.Exit(1)


class Commands(TyperGroup):
    """The commands. What is wrong with the settings, the database or a file is one line that says what to do, and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run what was typed."""
        try:
            return super().invoke(ctx)
        except ValidationError as error:
            if error.title != "Settings":
                raise
            for one in error.errors():
                name = f"EXOLOTL_{one['loc'][0]}: ".upper() if one["loc"] else ""
                say(f"{name}{one['msg'].removeprefix('Value error, ')}", "red")
        except sa.exc.DBAPIError as error:
            say(_of_database(error), "red")
        except DomainError as error:
            raise stop(error.reasons) from None
        except OSError as error:
            if error.filename is None:
                raise
            say(f"{error.filename}: {error.strerror}", "red")
        raise typer.Exit(1)


def _of_database(error: sa.exc.DBAPIError) -> str:
    said = str(error.orig).strip().splitlines()[0]
    if isinstance(error, sa.exc.ProgrammingError) or "no such" in said:
        return f"the database has not the schema of this version ({said}); type: exolotl migrate"
    return f"the database does not answer ({said}); look at EXOLOTL_DATABASE_URL"
