"""`covenant doctor`: what Covenant needs, and what somebody should look after, each with since when and what to do.

Changes nothing, and looks at everything however much of it fails. Exit 3 where something it depends on isn't there, 1
where all is there and something should be looked after, 0 where nothing should.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import click
import msgspec

from engine import bootstrap
from engine.cli.shell import Shell, pass_shell
from engine.domain.errors import BrokerUnavailable, CovenantError, DependencyMissing, StoreUnavailable, UsageError
from engine.domain.values import Instant, instant_text
from engine.policy import opa_binary
from engine.service.attention import attention
from engine.service.health import troubles
from engine.settings import Settings
from engine.store.queries import Queries

MISSING: Final = DependencyMissing.exit_code
ANSWERS_S: Final = 3.0
"""How long a broker or a policy engine may take to be reached."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    check: str
    ok: bool
    says: str
    do: str = ""
    since: Instant | None = None
    rules: tuple[str, ...] = ()


@click.command(short_help="See whether all that Covenant needs is there, and what to look after.")
@click.option("--needs", is_flag=True, help="Only whether what it needs is there, not what is in the store.")
@pass_shell
def doctor(shell: Shell, *, needs: bool) -> None:
    """See whether settings, OPA, policies, store and broker are as they must be, and what somebody should look after.

    That is: refused events, rules that fail, what waits to be decided or published, and feeds that are silent, with the
    rules that wait for them. Exit 3 if something is missing, 1 if something is to be looked after, 0 otherwise.
    """
    found = list(examine(shell))
    missing = [finding for finding in found if not finding.ok]
    after = [] if needs or missing else list(look_after(shell.settings))
    if shell.format == "text":
        for finding in found:
            click.echo(f"{'ok     ' if finding.ok else 'MISSING'}  {finding.check:<11} {finding.says} {finding.do}".rstrip())
        for finding in after:
            since = f" Since {instant_text(finding.since)}." if finding.since is not None else ""
            click.echo(f"LOOK     {finding.check:<11} {finding.says}{since} {finding.do}")
    else:
        shell.rows(map(_written, [*found, *after]), Finding.__struct_fields__)
    if missing or after:
        raise click.exceptions.Exit(MISSING if missing else 1)


def look_after(settings: Settings) -> Iterator[Finding]:
    """Say what in the store is to be looked after; nothing where there is no store yet."""
    file = bootstrap.sqlite_file(settings)
    if file is not None and not file.exists():
        return
    with closing(bootstrap.read_store(settings)) as store:
        for said in attention(Queries(store)):
            yield Finding("rules", ok=False, says=said)
        for found in troubles(store, published=bool(settings.broker)):
            yield Finding(found.trouble, ok=False, says=found.says, do=found.do, since=found.since, rules=found.rules)


def _written(finding: Finding) -> dict[str, object]:
    since = "" if finding.since is None else instant_text(finding.since)
    return {name: getattr(finding, name) for name in finding.__struct_fields__} | {"since": since}


def examine(shell: Shell) -> Iterator[Finding]:
    """Look at everything, one after the other; what can't be looked at without settings isn't."""
    try:
        settings = shell.settings
    except CovenantError as error:
        yield Finding("settings", ok=False, says=error.message, do=error.do)
        return
    yield Finding("settings", ok=True, says="read")
    checks: dict[str, Callable[[Settings], str]] = {"opa": _opa, "policies": _policies, "store": _store, "broker": _broker}
    for name, check in checks.items():
        try:
            yield Finding(name, ok=True, says=check(settings))
        except CovenantError as error:
            yield Finding(name, ok=False, says=error.message, do=error.do)


def _opa(settings: Settings) -> str:
    if settings.opa_url:
        host, _, port = settings.opa_url.partition("://")[2].partition("/")[0].partition(":")
        if not _reached(host, port or "80"):
            msg = f"The policy engine at {settings.opa_url} can't be reached."
            raise DependencyMissing(msg, "Start it, or clear COVENANT_OPA_URL to let Covenant start its own.")
        return f"a server at {settings.opa_url}"
    opa = bootstrap.find_opa(settings)
    return f"{opa}, version {opa_binary.version(opa)}"


def _policies(settings: Settings) -> str:
    bundle = bootstrap.load_bundle(settings)
    return f"{settings.policy_folder}, {len(bundle.catalogue.rules)} rules, bundle {bundle.digest[:12]}"


def _store(settings: Settings) -> str:
    file = bootstrap.sqlite_file(settings)
    if file is not None and not file.exists():
        _try_writing(settings, next(parent for parent in file.resolve().parents if parent.exists()))
        return f"{settings.store_shown}, not there yet: the first ingest makes it"
    if file is not None:
        _try_writing(settings, file.resolve().parent)
    with closing(bootstrap.open_store(settings)) as store:
        return f"{settings.store_shown}, {len(store.lanes())} lanes written"


def _try_writing(settings: Settings, folder: Path) -> None:
    """Write a file without a name, which is gone at once: permissions alone don't tell."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        msg = f"The store {settings.store_shown} can't be written: {folder}: {error.strerror}."
        raise StoreUnavailable(msg, "Name a store elsewhere with --store or COVENANT_STORE.") from error


def _broker(settings: Settings) -> str:
    if not settings.broker:
        return "none is set; the embedded commands need none"
    servers = [server.strip() for server in settings.broker.split(",")]
    answering = [server for server in servers if _reached(*_address(server))]
    if not answering:
        msg = f"No broker can be reached at {settings.broker}."
        raise BrokerUnavailable(msg, "Start it, or correct COVENANT_BROKER.")
    settings.key()
    from streams.running import check_topics  # noqa: PLC0415 - only where there is a broker

    check_topics(settings.broker, settings.lanes)
    return f"{', '.join(answering)} can be reached, topics of {settings.lanes} lanes"


def _address(server: str) -> tuple[str, str]:
    host, mark, port = server.rpartition(":")
    if not mark or not port.isdigit():
        msg = f"COVENANT_BROKER has {server!r}, which isn't HOST:PORT."
        raise UsageError(msg, "Write it as 127.0.0.1:9092; separate several by commas.")
    return host, port


def _reached(host: str, port: str) -> bool:
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWERS_S):
            return True
    except (OSError, ValueError, OverflowError):
        return False
