"""For developers: `python -m migrations.draft "add shipments"` writes the next migration from what the models now say.

`--first` writes 0001 anew; only until the first release has landed. Read what is written before it is kept: a renamed
column looks like a lost one and a new one.
"""

import re
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from alembic import command

from domain.store import WRITING, engine_for
from migrations import config, revisions, upgrade

VERSIONS = Path(__file__).parent / "versions"


def draft(message: str, number: int) -> Path:
    """Write migration `number`, the difference between the newest version and the models; returns its file."""
    with tempfile.TemporaryDirectory() as folder:
        engine = engine_for(f"sqlite:///{folder}/draft.db")
        if number > 1:
            upgrade(engine)
        with engine.execution_options(**{WRITING: True}).begin() as connection:
            settings = config()
            settings.attributes["connection"] = connection
            settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            script = command.revision(settings, message, autogenerate=True, rev_id=f"{number:04d}")
        engine.dispose()
    assert script is not None
    assert not isinstance(script, list)
    path = Path(script.path)
    path.write_text(re.sub(r"^ *# (### .* ###|with op.*)\n", "", path.read_text(), flags=re.MULTILINE))
    for arguments in (("check", "--fix", "--exit-zero"), ("format",), ("check", "--add-noqa")):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, "--silent", path], check=True)  # noqa: S603 - our own tools
    return path


def main() -> None:
    """Parse the command line."""
    parser = ArgumentParser(prog="python -m migrations.draft", description=__doc__)
    parser.add_argument("message", nargs="?", help="what changes, in a few words")
    parser.add_argument("--first", action="store_true", help="write 0001 anew (before the first release only)")
    given = parser.parse_args()
    if given.first:
        if len(revisions()) > 1:
            parser.error("0001 has successors: write a new migration instead")
        for old in VERSIONS.glob("0001_*.py"):
            old.unlink()
        path = draft("first release", 1)
    elif given.message:
        path = draft(given.message, len(revisions()) + 1)
    else:
        parser.error("say what changes")
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
