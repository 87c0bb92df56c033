"""The command line: serve, migrate, demo, create-user, verify-audit, verify-certificate, signing-certificate, export-dossier, import-file, worker."""

import hashlib
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from pydantic import SecretStr, ValidationError
from rich.progress import Progress

from api.keys import log_keys_of, signing_state
from api.letters import handlers
from api.problems import reasons_of
from api.settings import settings
from api.terminal import Commands, console, say, stop
from api.verifying import signing_certificate, verify_certificate
from api.webhooks import Webhooks
from api.worker import run
from domain import audit
from domain.certificates.log_check import check_log
from domain.certificates.queries import anchors
from domain.disposition import cascade
from domain.disposition.export import ExportDossier, export_dossier
from domain.errors import DomainError
from domain.instruments.imports import ImportNanoSight, import_nanosight
from domain.people.models import SignInKind
from domain.people.operations import COMMAND_LINE, CreateUser, create_user
from domain.people.queries import actor_of
from domain.permissions import Permission, Role
from domain.store import reading
from domain.work import perform, transaction
from migrations import current, revisions, upgrade

assert cascade.REGISTERED, "a file that is imported may hold a released lot, and all made of it with it"

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Exolotl: lots, quality control and certificates.",
    pretty_exceptions_enable=False,
)
app.command("verify-certificate")(verify_certificate)
app.command("signing-certificate")(signing_certificate)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]


@app.command()
def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: Annotated[int, typer.Option(help="processes; SQLite takes one")] = 1,
) -> None:
    """Serve the pages and the API."""
    if settings().database_url.startswith("sqlite") and workers > 1:
        say("SQLite takes one process: --workers 1, or PostgreSQL")
        raise typer.Exit(2)
    site = settings().site()
    if (schema := current(site.engine)) != revisions()[-1]:
        has = f"the schema {schema}" if schema else "no tables yet"
        say(
            f"the database has {has}, and this version needs the schema {revisions()[-1]}; type: exolotl migrate", "red"
        )
        raise typer.Exit(1)
    if warning := signing_state(site).warning:
        say(warning, "yellow")
    if settings().demo:
        _say_where(host, port)
    uvicorn.run(
        "api.main:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        proxy_headers=False,  # whose word counts is a setting of ours: EXOLOTL_TRUSTED_PROXIES
    )


def _say_where(host: str, port: int) -> None:
    from api.demo import where_to_look  # noqa: PLC0415 - only where demo data may be

    for line in where_to_look(settings().site(), f"http://{host}:{port}"):
        say(line)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    engine = settings().site().engine
    upgrade(engine)
    say(f"schema {current(engine)}")


@app.command()
def demo() -> None:
    """Fill an empty database with the demo lots; repeating it changes nothing."""
    if not settings().demo:
        say("The demo cast works in demo mode only: set EXOLOTL_DEMO=1, and never where real lots are.")
        raise typer.Exit(2)
    from api.demo import make  # noqa: PLC0415 - only where demo data may be

    say(str(make(settings().site())))


@app.command("create-user")
def create_user_command(
    username: str,
    name: Annotated[str, typer.Option(help="as printed beside signatures")],
    role: Annotated[list[Role], typer.Option(help="may be given several times")],
    function: Annotated[str, typer.Option(help="as printed beside signatures")] = "",
    password: Annotated[
        str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, help="asked for if not given")
    ] = "",
) -> None:
    """Create a user, for instance the first administrator."""
    try:
        command = CreateUser(
            username=username, name=name, function=function, password=SecretStr(password), roles=tuple(role)
        )
        with transaction(settings().site(), COMMAND_LINE) as work:
            create_user(work, command)
    except DomainError as error:
        raise stop(error.reasons) from None
    except ValidationError as error:
        raise stop(reasons_of(error.errors())) from None
    say(f"{username} can sign in as {', '.join(role)}")


@app.command("verify-audit")
def verify_audit() -> None:
    """Check the whole audit trail, every record against it, the heads printed on certificates, and the public log."""
    site = settings().site()
    with reading(site.engine) as session:
        printed = list(anchors(session))
    started = time.perf_counter()
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("entries", total=None)
        found = audit.verify(site.engine, printed, lambda done: bar.update(task, completed=done))
    seconds = time.perf_counter() - started
    say(f"{found.entries} entries, {found.rows} records, {len(printed)} printed heads in {seconds:.2f} s")
    say(f"head {found.head.sequence} {found.head.digest}")
    keys = log_keys_of(settings(), site)
    logged = check_log(site.engine, keys)
    if logged.entries and not keys:
        say(
            "no key of the public log is known: set EXOLOTL_LOG_KEY, and EXOLOTL_TRUSTED for keys used before", "yellow"
        )
    say(f"{logged.entries} entries in the public log" + (f", root {logged.head.root}" if logged.head else ""))
    for broken in filter(None, (found.broken, logged.broken)):
        say(f"broken: {broken}", "red")
    if found.broken or logged.broken:
        raise typer.Exit(1)
    say("the audit trail is whole", "green")


@app.command("export-dossier")
def export_dossier_file(
    lot_number: Annotated[str, typer.Argument(help="lot number")],
    file: Annotated[
        Path, typer.Argument(dir_okay=False, help="the ZIP to write; what is there already is never overwritten")
    ],
) -> None:
    """Write everything known of a lot into a ZIP that can be verified without this system; that it was taken is on record."""
    site = settings().site()
    operator = replace(COMMAND_LINE, permissions=frozenset({Permission.READ_AUDIT}))
    if file.exists():
        say(f"{file} is there already", "red")
        raise typer.Exit(1)
    try:
        data = perform(site, operator, export_dossier, ExportDossier(lot_number=lot_number), "command line")
    except DomainError as error:
        raise stop(error.reasons) from None
    file.write_bytes(data)
    say(f"{file}: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


@app.command("import-file")
def import_file(
    file: File,
    sample: Annotated[str, typer.Option(help="sample number")],
    concentration_method: Annotated[str, typer.Option(help="method code for PART-CONC")],
    size_method: Annotated[str, typer.Option(help="method code for SIZE-DIST")],
    token: Annotated[str, typer.Option(envvar="EXOLOTL_TOKEN", help="the instrument's API token")],
    dilution: Annotated[str | None, typer.Option(help="only if the file does not record it")] = None,
    measured_at: Annotated[datetime | None, typer.Option(help="only if the file carries no time; at the site")] = None,
    comment: Annotated[str, typer.Option(help="why the file counts, if the instrument warns of something")] = "",
    reason: Annotated[str, typer.Option(help="only if the sample has NTA results already")] = "",
    concentration_run: Annotated[str | None, typer.Option(help="run of the concentration method")] = None,
    size_run: Annotated[str | None, typer.Option(help="run of the size method")] = None,
    oos: Annotated[str | None, typer.Option(help="investigation whose planned retest this is")] = None,
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
            comment=comment,
            reason=reason,
            concentration_run=concentration_run,
            size_run=size_run,
            oos_number=oos,
        )
        with transaction(site, actor) as work:
            results = [(one.id, one.test_code, one.value) for one in import_nanosight(work, command)]
    except DomainError as error:
        raise stop(error.reasons) from None
    except ValidationError as error:
        raise stop(reasons_of(error.errors())) from None
    for key, code, value in results:
        say(f"result {key} {code}: {value}")


@app.command()
def worker(once: Annotated[bool, typer.Option(help="stop when nothing is due")] = False) -> None:
    """Do what is queued, tell followers of lots, and check the audit trail every night."""
    known = settings()
    sys.exit(run(known.site(), handlers(known.mail(), Webhooks(known.webhooks_may_be_local)), once=once))


if __name__ == "__main__":
    app()
