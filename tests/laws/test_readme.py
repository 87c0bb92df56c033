"""The README tells the truth: its settings are the settings, its commands the commands, and its links lead somewhere."""

import re
from pathlib import Path

import typer

from api.cli import app
from api.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def row(name: str, default: object, description: str | None) -> str:
    """A setting as the table has it."""
    shown = f"`{default}`" if default not in ("", None) else ""
    return " | ".join(("", f"`EXOLOTL_{name.upper()}`", shown, description or "", "")).replace("  ", " ").strip()


def test_the_table_of_settings_is_the_class_of_settings() -> None:
    wanted = [row(name, field.default, field.description) for name, field in Settings.model_fields.items()]
    found = [line for line in README.splitlines() if line.startswith("| `EXOLOTL_")]
    assert found == wanted, "the table should be:\n" + "\n".join(wanted)


def test_the_table_of_commands_names_every_command() -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert set(re.findall(r"^\| `exolotl ([a-z-]+)", README, re.MULTILINE)) == commands


def test_every_link_of_the_documentation_leads_to_a_file() -> None:
    lost = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not lost, "\n".join(lost)


def test_the_pictures_of_the_readme_stay_small() -> None:
    pictures = sorted((ROOT / "docs/pictures").glob("*.png"))
    assert [picture.name for picture in pictures] == ["certificate.png", "look-up.png"]
    assert all(picture.stat().st_size < 250_000 for picture in pictures)
