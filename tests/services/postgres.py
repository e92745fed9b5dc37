"""A real PostgreSQL server for tests: loopback TCP, a socket and its data in a temporary folder.

Tried in this order: the administrator's URL in `COVENANT_TEST_POSTGRES`; a
container engine; `initdb` and `postgres` on PATH or where Debian puts them.
Durability stays on (`fsync`), since the tests kill it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.services.parts import MissingPart, Program, container_engine, free_ports, run, tail, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

IMAGE = "postgres:15-bookworm"
READY_S_MAX = 60.0
SUPERUSER = "covenant"


def programs() -> Path | None:
    """The newest folder that has both `initdb` and `postgres`, else None."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(debian, key=lambda folder: int(folder.parent.name.split(".")[0]), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def prepare() -> None:
    """Make sure a server could be started here; raises MissingPart with what is missing."""
    if os.environ.get("COVENANT_TEST_POSTGRES") or container_engine() or programs():
        return
    message = "PostgreSQL: set COVENANT_TEST_POSTGRES, or install a container engine or PostgreSQL's programs"
    raise MissingPart(message)


def unprivileged_user_id() -> int | None:
    """Whom to run as: PostgreSQL refuses the superuser, so `postgres` or `nobody` instead; else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    message = "PostgreSQL: running as root, and there is neither a user `postgres` nor `nobody`"
    raise MissingPart(message)


class PostgresServer:
    """A server to start, stop, kill and restart, and a place to make fresh databases in."""

    def __init__(self) -> None:
        """Prepare without starting; raises MissingPart with what is missing."""
        prepare()
        given = os.environ.get("COVENANT_TEST_POSTGRES")
        self._folder: Path | None = None
        self._program: Program | None = None
        self._container: str | None = None
        self._password = secrets.token_hex(16)
        if given:
            self._admin = given.replace("postgresql+psycopg://", "postgresql://", 1)
            return
        (self._port,) = free_ports(1)
        self._admin = f"postgresql://{SUPERUSER}:{self._password}@127.0.0.1:{self._port}/postgres"
        if container_engine():
            self._container = f"covenant-test-postgres-{uuid.uuid4().hex[:12]}"
        else:
            self._user_id = unprivileged_user_id()
            self._folder = Path(tempfile.mkdtemp(prefix="covenant-pg-"))

    @property
    def controllable(self) -> bool:
        """Whether it is ours to kill and restart (an address from the environment isn't)."""
        return bool(self._container or self._folder)

    @property
    def pid(self) -> int | None:
        """The postmaster's process id when it runs as a plain process."""
        return self._program.pid if self._program else None

    def __enter__(self) -> Self:
        """Start and wait until it answers; a failed start leaves nothing behind."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop and remove everything."""
        self.close()

    def start(self) -> None:
        """Start, with the data of the run before if there was one, and wait until ready."""
        if self._container:
            self._start_container(self._container)
        elif self._folder:
            self._start_program(self._folder)
        wait_until(self._ready, READY_S_MAX, self._describe)

    def stop(self) -> None:
        """A fast, orderly stop: connections are cut, a checkpoint is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill -9 of the postmaster; the data stays and is recovered on the next start."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop in order and start again on the same port with the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop for good and remove the data."""
        if self._container:
            with contextlib.suppress(RuntimeError):
                run([str(container_engine()), "rm", "--force", "--volumes", self._container])
        if self._program:
            self._program.end(signal.SIGQUIT)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """A fresh, empty database; yields its SQLAlchemy URL and drops it at the end."""
        name = f"covenant_{uuid.uuid4().hex[:16]}"
        with psycopg.connect(self._admin, autocommit=True) as admin:
            admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            yield self._url(name)
        finally:
            with psycopg.connect(self._admin, autocommit=True) as admin:
                admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _url(self, name: str) -> str:
        parts = conninfo_to_dict(self._admin)
        login = f"{parts['user']}:{parts['password']}" if parts.get("password") else parts["user"]
        return f"postgresql+psycopg://{login}@{parts['host']}:{parts.get('port', 5432)}/{name}"

    def _end(self, how: signal.Signals) -> None:
        if not self.controllable:
            message = "the server of COVENANT_TEST_POSTGRES isn't ours to stop"
            raise RuntimeError(message)
        if self._container:
            verb = "kill" if how is signal.SIGKILL else "stop"
            run([str(container_engine()), verb, self._container])
        elif self._program:
            self._program.end(how)

    def _start_container(self, name: str) -> None:
        engine = str(container_engine())
        if run([engine, "ps", "--all", "--quiet", "--filter", f"name={name}"]).strip():
            run([engine, "start", name])
            return
        command = [engine, "run", "--detach", "--name", name]
        command += ["--publish", f"127.0.0.1:{self._port}:5432", "--env", f"POSTGRES_USER={SUPERUSER}"]
        command += ["--env", "POSTGRES_PASSWORD", "--env", "POSTGRES_DB=postgres", IMAGE]
        run(command, env={**os.environ, "POSTGRES_PASSWORD": self._password})

    def _start_program(self, folder: Path) -> None:
        binaries = programs()
        data = folder / "data"
        if self._program is None:
            password = folder / "password"
            password.write_text(self._password)
            if self._user_id is not None:
                shutil.chown(folder, self._user_id)
                shutil.chown(password, self._user_id)
            initialise = [f"{binaries}/initdb", "--pgdata", str(data), "--username", SUPERUSER]
            initialise += ["--auth", "scram-sha-256", "--pwfile", str(password), "--encoding", "UTF8"]
            run([*initialise, "--locale", "C"], user=self._user_id, cwd=folder)
            password.unlink()
            options = {
                "listen_addresses": "127.0.0.1",
                "port": str(self._port),
                "unix_socket_directories": str(folder),
                "fsync": "on",
                "max_connections": "60",
                "shared_buffers": "64MB",
                "log_min_messages": "warning",
            }
            flags = [item for key, value in options.items() for item in ("-c", f"{key}={value}")]
            self._program = Program(
                [f"{binaries}/postgres", "-D", str(data), *flags],
                folder / "server.log",
                user_id=self._user_id,
                cwd=folder,
            )
        self._program.start()

    def _ready(self) -> bool:
        if self._program and self._folder and not self._program.running():
            if "pre-existing shared memory" not in tail(self._program.log, 5):
                raise RuntimeError(self._describe())
            self._program.start()  # backends of a killed postmaster are still ending
        try:
            with psycopg.connect(self._admin, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _describe(self) -> str:
        where = self._admin.rpartition("@")[2]
        if self._program:
            return f"PostgreSQL isn't ready on {where}; its log ends:\n{tail(self._program.log)}"
        return f"PostgreSQL isn't ready on {where}"
