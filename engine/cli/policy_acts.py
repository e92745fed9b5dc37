"""`covenant policy sign`, `activate`, `shadow`, `retire`, `revisions`: a bundle's way into force. Speaks only.

What an act is held to is `engine.service.activation`'s; it is the same for an act that comes by topic.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from engine import bootstrap
from engine.cli import inputs
from engine.cli.shell import Shell, pass_shell
from engine.domain.errors import UsageError
from engine.domain.events.reference import PolicyActivated, PolicyRetired, PolicyShadowed
from engine.domain.values import instant_text
from engine.policy import signing
from engine.policy.bundle import Bundle, from_bytes
from engine.service import policy_acts
from engine.service.activation import Conditions
from engine.store.lookups import Lookups
from engine.store.sql_store import SqlStore

FOLDER = click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
AUTHOR = click.option("--author", required=True, metavar="WHO", help="Who wrote the policies, for the record.")
SINCE = click.option(
    "--effective-from", "since", type=inputs.Moment(), help="From when; events count by when they occurred. Default: now."
)
ORGANISATION = click.option("--organisation", metavar="ID", help="Whose policies. Default: COVENANT_ORGANISATION.")


@click.command()
@FOLDER
@click.option(
    "--key", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Private key (PEM, Ed25519)."
)
@click.option("--number", required=True, type=click.IntRange(0, 2**53 - 1), help="Counted up with every revision you sign.")
@pass_shell
def sign(shell: Shell, folder: Path, key: Path, number: int) -> None:
    """Sign the policies in DIR: writes signature.json into it."""
    shell.give("policies", folder)
    bundle = bootstrap.load_bundle(shell.settings)
    signature = signing.sign(bundle.digest, number, key)
    (folder / signing.FILE).write_bytes(msgspec.json.format(msgspec.json.encode(signature)) + b"\n")
    told = f"Revision {bundle.digest[:12]} is signed as number {number} by key {signature.key}, in {folder / signing.FILE}."
    shell.document(msgspec.structs.asdict(signature), told)


@click.command()
@FOLDER
@SINCE
@AUTHOR
@click.option("--approver", required=True, metavar="WHO", help="Who approved it: somebody else.")
@click.option("--backtest", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The backtest's report (JSON).")
@click.option("--confirm", type=click.IntRange(0), metavar="N", help="Findings it would open, confirmed by the approver.")
@ORGANISATION
@pass_shell
def activate(
    shell: Shell,
    *,
    folder: Path,
    since: int | None,
    author: str,
    approver: str,
    backtest: Path | None,
    confirm: int | None,
    organisation: str | None,
) -> None:
    """Put the policies in DIR in force from a date.

    They judge what occurs from then on; what occurred before is judged by the former ones, however late it arrives. Needs
    a backtest of these very policies, and an approver who isn't the author.
    """
    with _acting(shell, folder, organisation) as (store, conditions, whose, bundle):
        seen = policy_acts.backtested(backtest, bundle) if backtest is not None else None
        data = PolicyActivated(
            effective_from=policy_acts.moment(since), bundle=bundle.digest, author=author, approver=approver,
            backtest=seen.report if seen else "", opens=seen.opens if seen else None, confirmed=confirm,
        )  # fmt: skip
        event = policy_acts.act(store, conditions, whose, data, bundle, bootstrap.now_us())
    at = instant_text(data.effective(event.time))
    document = {"bundle": bundle.digest, "organisation": whose, "effective_from": at, "author": author, "approver": approver}
    shell.document(document, f"Revision {bundle.digest[:12]} is in force for {whose} from {at}.")


@click.command()
@FOLDER
@SINCE
@click.option("--until", type=inputs.Moment(), help="Until when. Default: until it is retired.")
@AUTHOR
@ORGANISATION
@pass_shell
def shadow(shell: Shell, *, folder: Path, since: int | None, until: int | None, author: str, organisation: str | None) -> None:
    """Evaluate the policies in DIR beside those in force: what they say is recorded, and nobody is accused by it.

    They are asked about the facts as these are folded for what is in force.
    """
    with _acting(shell, folder, organisation) as (store, conditions, whose, bundle):
        data = PolicyShadowed(
            effective_from=policy_acts.moment(since), bundle=bundle.digest, author=author, until=policy_acts.moment(until)
        )
        event = policy_acts.act(store, conditions, whose, data, bundle, bootstrap.now_us())
        lower = policy_acts.counted_from_before(store, conditions, whose, bundle, data.effective(event.time))
    at = instant_text(data.effective(event.time))
    document: dict[str, Any] = {"bundle": bundle.digest, "organisation": whose, "effective_from": at, "author": author}
    document["counts_from_before"] = lower
    shell.document(document, f"Revision {bundle.digest[:12]} is evaluated beside that in force for {whose} from {at}.")
    if lower:
        shell.say(
            f"It sets a lower threshold for {', '.join(lower)}. An activation would start these sums at its date; a shadow's "
            "sums hold what was before. Read what it says of them once their window has passed."
        )


@click.command()
@click.argument("revision")
@SINCE
@AUTHOR
@ORGANISATION
@pass_shell
def retire(shell: Shell, *, revision: str, since: int | None, author: str, organisation: str | None) -> None:
    """End the shadowing of REVISION, of which the first digits will do."""
    with closing(bootstrap.read_store(shell.settings)) as store:
        whose = _whose(shell, organisation)
        digest = policy_acts.shadowed_revision(store, whose, revision)
        data = PolicyRetired(effective_from=policy_acts.moment(since), bundle=digest, author=author)
        event = policy_acts.act(store, _conditions(shell, store), whose, data, None, bootstrap.now_us())
    at = instant_text(data.effective(event.time))
    document = {"bundle": data.bundle, "organisation": whose, "effective_from": at, "author": author}
    shell.document(document, f"Revision {data.bundle[:12]} is evaluated no longer from {at}.")


@click.command()
@pass_shell
def revisions(shell: Shell) -> None:
    """List the revisions that the store has judged by or shadowed, from when, and who is on record for each."""
    with closing(bootstrap.read_store(shell.settings)) as store:
        rows: list[dict[str, Any]] = [
            msgspec.structs.asdict(step) | {"since": instant_text(step.since) if step.since else "the beginning"}
            for step in policy_acts.revisions(store)
        ]
    for row in rows:
        row["revision"] = row["bundle"][:12]
    shell.rows(rows, ["act", "since", "revision", "organisation", "author", "approver"])


@click.command()
@click.argument("revision", default="", metavar="[REVISION]")
@ORGANISATION
@pass_shell
def shadowed(shell: Shell, *, revision: str, organisation: str | None) -> None:
    """List where a shadowed REVISION says otherwise than the one in force: by event and rule, nobody is accused by it."""
    with closing(bootstrap.read_store(shell.settings)) as store:
        digest = policy_acts.shadowed_revision(store, _whose(shell, organisation), revision)
        rows = [
            msgspec.structs.asdict(one) | {"time": instant_text(one.time)}
            for one in policy_acts.differing(Lookups(store), digest)
        ]
    shell.rows(rows, ["rule", "time", "aggregate", "in_force", "shadowed", "sentence"], empty="No difference.")


@contextmanager
def _acting(shell: Shell, folder: Path, organisation: str | None) -> Iterator[tuple[SqlStore, Conditions, str, Bundle]]:
    whose = _whose(shell, organisation)
    with closing(bootstrap.read_store(shell.settings)) as store:
        conditions = _conditions(shell, store)
        shell.give("policies", folder)
        yield store, conditions, whose, bootstrap.load_bundle(shell.settings)


def _conditions(shell: Shell, store: SqlStore) -> Conditions:
    first = store.first_bundle()
    if not first:
        msg = "Nothing was judged in this store yet, so nothing is in force in it."
        raise UsageError(msg, "Take events in first: `covenant ingest` begins with the policies that --policies names.")
    return bootstrap.conditions_of(shell.settings, store, from_bytes(store.bundle(first)))


def _whose(shell: Shell, organisation: str | None) -> str:
    whose = organisation or shell.settings.organisation
    if not whose:
        msg = "It isn't said whose policies these are."
        raise UsageError(msg, "Give --organisation, or set COVENANT_ORGANISATION.")
    return whose
