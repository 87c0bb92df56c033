"""The command line: serve, migrate, demo, create-user, verify-audit, verify-certificate, import-file, worker."""

import hashlib
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlmodel import select

from api.settings import settings
from domain import audit
from domain.certificates.models import Certificate
from domain.certificates.queries import anchors
from domain.errors import DomainError
from domain.instruments.imports import ImportNanoSight, import_nanosight
from domain.people.models import SignInKind
from domain.people.operations import COMMAND_LINE, CreateUser, create_user
from domain.people.queries import actor_of
from domain.permissions import Role
from domain.store import reading
from domain.work import transaction

app = typer.Typer(no_args_is_help=True, help="Exolotl: lots, quality control and certificates.", pretty_exceptions_enable=False)
console = Console()


def _stop(error: DomainError) -> typer.Exit:
    for reason in error.reasons:
        console.print(f"[red]{reason.code}[/]: {reason.text}" + (f" ({reason.field})" if reason.field else ""), highlight=False)
    return typer.Exit(1)


@app.command()
def serve(
    host: str = "127.0.0.1", port: int = 8000, workers: Annotated[int, typer.Option(help="processes; SQLite takes one")] = 1
) -> None:
    """Serve the pages and the API."""
    import uvicorn

    if settings().database_url.startswith("sqlite") and workers > 1:
        console.print("SQLite takes one process: --workers 1, or PostgreSQL")
        raise typer.Exit(2)
    if settings().demo:
        _say_where(host, port)
    uvicorn.run("api.main:create_app", factory=True, host=host, port=port, workers=workers, log_level="warning")


def _say_where(host: str, port: int) -> None:
    from api.demo import where_to_look

    for line in where_to_look(settings().site(), f"http://{host}:{port}"):
        console.print(line, highlight=False)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    from migrations import current, upgrade

    engine = settings().site().engine
    upgrade(engine)
    console.print(f"schema {current(engine)}")


@app.command()
def demo() -> None:
    """Fill an empty database with the demo lots; repeating it changes nothing."""
    from api.demo import make

    if not settings().demo:
        console.print("The demo cast works in demo mode only: set EXOLOTL_DEMO=1, and never where real lots are.")
        raise typer.Exit(2)
    console.print(make(settings().site()))


@app.command("create-user")
def create_user_command(
    username: str,
    name: Annotated[str, typer.Option(help="as printed beside signatures")],
    role: Annotated[list[Role], typer.Option(help="may be given several times")],
    function: Annotated[str, typer.Option(help="as printed beside signatures")] = "",
    password: Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, help="asked for if not given")] = "",
) -> None:
    """Create a user, for instance the first administrator."""
    try:
        with transaction(settings().site(), COMMAND_LINE) as work:
            command = CreateUser(username=username, name=name, function=function, password=password, roles=tuple(role))  # type: ignore[arg-type]
            create_user(work, command)
    except DomainError as error:
        raise _stop(error) from None
    except ValueError as error:
        console.print(str(error), highlight=False)
        raise typer.Exit(1) from None
    console.print(f"{username} can sign in as {', '.join(role)}")


@app.command("verify-audit")
def verify_audit() -> None:
    """Check the whole audit trail, every record against it, and the heads printed on certificates."""
    site = settings().site()
    with reading(site.engine) as session:
        printed = list(anchors(session))
    started = time.perf_counter()
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("entries", total=None)
        found = audit.verify(site.engine, printed, lambda done: bar.update(task, completed=done))
    seconds = time.perf_counter() - started
    console.print(f"{found.entries} entries, {found.rows} records, {len(printed)} printed heads in {seconds:.2f} s")
    console.print(f"head {found.head.sequence} {found.head.digest}", highlight=False)
    if found.broken:
        console.print(f"[red]broken[/]: {found.broken}", highlight=False)
        raise typer.Exit(1)
    console.print("[green]the audit trail is whole[/]")


@app.command("verify-certificate")
def verify_certificate(file: Path) -> None:
    """Tell whether a PDF is a certificate of this site, byte for byte, and what its lot's state is today."""
    site = settings().site()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with reading(site.engine) as session:
        found = session.exec(select(Certificate).where(Certificate.pdf_sha256 == digest)).first()
        if found is None:
            console.print(f"[red]not a certificate of this site, or altered[/]: SHA-256 {digest}", highlight=False)
            raise typer.Exit(1)
        if hashlib.sha256(found.content.encode()).hexdigest() != found.content_sha256:
            console.print(f"[red]the stored content of {found.number} was altered[/]")
            raise typer.Exit(1)
        from domain.certificates.queries import public_lot
        from domain.lots.models import Lot

        number = session.exec(select(Lot.lot_number).where(Lot.id == found.lot_id)).one()
        lot = public_lot(session, number, site.today())
    newest = "newest revision" if lot.revision == found.revision else f"superseded by revision {lot.revision}"
    console.print(f"{found.number} rev. {found.revision}, {newest}; lot {number} is {lot.state.value}", highlight=False)


@app.command("import-file")
def import_file(
    file: Path,
    sample: Annotated[str, typer.Option(help="sample number")],
    concentration_method: Annotated[str, typer.Option(help="method code for PART-CONC")],
    size_method: Annotated[str, typer.Option(help="method code for SIZE-DIST")],
    token: Annotated[str, typer.Option(envvar="EXOLOTL_TOKEN", help="the instrument's API token")],
    dilution: Annotated[str | None, typer.Option(help="only if the file does not record it")] = None,
    measured_at: Annotated[datetime | None, typer.Option(help="only if the file carries no time; at the site")] = None,
    reason: Annotated[str, typer.Option(help="only if the sample has NTA results already")] = "",
) -> None:
    """Import a NanoSight summary file into a sample."""
    site = settings().site()
    at = measured_at.replace(tzinfo=site.zone) if measured_at else None
    try:
        actor = actor_of(site, token, SignInKind.TOKEN)
        command = ImportNanoSight(
            sample_number=sample,
            file_name=file.name,
            data=file.read_bytes(),
            concentration_method=concentration_method,
            size_method=size_method,
            dilution=dilution,
            measured_at=at,
            reason=reason,
        )
        with transaction(site, actor) as work:
            results = [(one.id, one.test_code, one.value) for one in import_nanosight(work, command)]
    except DomainError as error:
        raise _stop(error) from None
    for key, code, value in results:
        console.print(f"result {key} {code}: {value}", highlight=False)


@app.command()
def worker(once: Annotated[bool, typer.Option(help="stop when nothing is due")] = False) -> None:
    """Do what is queued, and check the audit trail every night."""
    from api.worker import run

    sys.exit(run(settings().site(), once=once))
