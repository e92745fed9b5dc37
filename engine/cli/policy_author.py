"""`covenant policy new` and `diff`: a rule to begin with, and what changed between two revisions. Words only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from engine import bootstrap
from engine.cli.shell import Shell, pass_shell
from engine.domain.errors import UsageError
from engine.policy import bundle as bundles
from engine.service.authoring import Wanted, scaffold
from engine.service.policy_diff import Change, PolicyDiff, RuleChange, compare
from engine.settings import SHIPPED_POLICIES
from engine.store.lookups import Lookups


@click.command()
@click.argument("code")
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
@click.option("--title", required=True, help="What people read first, such as 'Too many tokens at once'.")
@click.option("--clause", default="A", metavar="CLAUSE", help="Clause of the agreement it holds people to. Default: A.")
@click.option("--severity", default="low", type=click.Choice(["low", "medium", "high", "critical"]), help="Default: low.")
@click.option(
    "--respondent", default="holder", type=click.Choice(["holder", "company", "nobody"]), help="Whose breach. Default: holder."
)
@click.option("--event", default=Wanted("", "").event, metavar="TYPE", help=f"What it judges. Default: {Wanted('', '').event}.")
@click.option(
    "--fact", default="", metavar="PATH", help="Whole number it reads, such as event.tokens. Default: the first there is."
)
@click.option("--threshold", default="most=100", metavar="NAME=VALUE", help="The most that is allowed. Default: most=100.")
@click.option("--excuse", default="", metavar="KIND", help="Kind of approval that excuses, such as cap_uplift. Default: none.")
@pass_shell
def new(shell: Shell, /, folder: Path | None, **wanted: Any) -> None:
    """Begin rule CODE in DIR: rule, tests, page, threshold and registered code, which pass check and test as they are."""
    if folder is not None:
        shell.give("policies", folder)
    target = shell.settings.policy_folder
    if target == SHIPPED_POLICIES and folder is None:
        msg = "A new rule isn't written into the policies that ship."
        raise UsageError(msg, "Copy them, and name your folder: `covenant policy new CODE DIR`.")
    wanted["code"] = wanted["code"].upper().replace("_", "-")
    written = scaffold(bootstrap.find_opa(shell.settings), target, Wanted(**wanted))
    told = "\n".join(f"{'changed' if name.endswith('.json') else 'wrote':7} {target / name}" for name in written)
    shell.document({"folder": str(target), "files": written}, told)
    shell.say(f"Now make it yours, and run `covenant policy check {target}` and `covenant policy test {target}`.")


@click.command()
@click.argument("before")
@click.argument("after", required=False)
@pass_shell
def diff(shell: Shell, before: str, after: str | None) -> None:
    """Show what changed from BEFORE to AFTER: rules, METADATA, thresholds, windows, clauses.

    Each is a folder or a revision that the store keeps, by the beginning of its digest. Without AFTER: the folder that
    judges.
    """
    found = compare(_bundle(shell, before), _bundle(shell, after or str(shell.settings.policy_folder)))
    shell.document(msgspec.to_builtins(found), lambda: "\n".join(in_words(found)))


def _bundle(shell: Shell, named: str) -> bundles.Bundle:
    folder = Path(named)
    if folder.is_dir():
        return bundles.load_bundle(folder, bootstrap.find_opa(shell.settings))
    if not re.fullmatch(r"[0-9a-f]{6,64}", named):
        msg = f"There is no policy folder {named}."
        raise UsageError(msg, "Name a folder, or a revision by six digits of its digest or more.")
    with closing(bootstrap.read_store(shell.settings)) as store:
        return bundles.from_bytes(store.bundle(Lookups(store).bundle_named(named)))


def in_words(found: PolicyDiff) -> Iterator[str]:
    """Say a difference to a person."""
    if found.same:
        yield f"No difference: both are revision {found.before[:12]}."
        return
    yield f"Revision {found.before[:12]} became {found.after[:12]}."
    for title, changes in (("Rules", found.rules), ("Libraries", found.libraries)):
        if changes:
            yield ""
            yield f"{title}:"
            for change in changes:
                yield from _rule(change)
    if found.data:
        yield ""
        yield "Data:"
        yield from (f"  {_change(change)}" for change in found.data)
    if not (found.rules or found.libraries or found.data):
        yield "Only how files are laid out or ordered changed."


def _rule(change: RuleChange) -> Iterator[str]:
    yield f"  {change.code} {change.title}".rstrip() + f": {change.change}"
    yield from (f"    {_change(said)}" for said in change.said)
    yield from (f"    {line[0]} {line[1:].strip()}" for line in change.lines if not line[1:].startswith("#"))


def _change(change: Change) -> str:
    if change.before is None:
        return f"{change.what}: new, {_value(change.after)}"
    if change.after is None:
        return f"{change.what}: gone, was {_value(change.before)}"
    return f"{change.what}: {_value(change.before)} became {_value(change.after)}"


def _value(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
