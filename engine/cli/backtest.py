"""`covenant backtest`: what another folder of policies would have found. Thin: `engine.service.backtest` does it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from engine import bootstrap
from engine.cli import inputs
from engine.cli.shell import Shell, pass_shell
from engine.domain.errors import UsageError
from engine.policy.bundle import from_bytes
from engine.policy.opa_child import OpaChild
from engine.service import backtest as service
from engine.service.backtest_inputs import Collect, count_inputs, keep_inputs
from engine.service.backtest_page import page
from engine.service.backtest_report import document, in_words
from engine.service.refolding import refolded
from engine.store.lookups import Lookups
from engine.store.sql_store import SqlStore

PARALLEL_FROM = 100_000
"""Events from which on a history is refolded by as many processes as there are cores: fewer, and starting them takes longer."""
COLUMNS = ("change", "rule", "severity", "holder", "repository", "opened_at", "count", "sentence")


@click.command(short_help="See what another bundle would have found over all of history.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--since", type=inputs.Moment(), help="Compare events from this time on; all of history is folded.")
@click.option("--until", type=inputs.Moment(), help="Compare events before this time.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write one page with charts.")
@click.option("--resume", is_flag=True, help="Go on where a run of the same backtest was ended.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Calls to OPA, and processes that refold, at once. Default: by cores.",
)
@click.option(
    "--work", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where inputs and progress are kept."
)
@pass_shell
def backtest(
    shell: Shell,
    *,
    folder: Path,
    since: int | None,
    until: int | None,
    html: Path | None,
    resume: bool,
    jobs: int | None,
    work: Path | None,
) -> None:
    """Judge the store's whole history by the policies in DIR, and tell what differs from what stands.

    Findings that would be new, gone or changed, by rule, holder and severity. The store is read, never written. The first
    run refolds the journal; what the rules are asked is kept in the home folder, so the next candidate takes less.
    """
    if since is not None and until is not None and since >= until:
        msg = "--since isn't before --until."
        raise UsageError(msg, "The window runs from --since until before --until.")
    settings = shell.settings
    opa = bootstrap.find_opa(settings)
    options = service.Options(service.Window(since, until), resume, jobs or 0)
    with closing(bootstrap.read_store(settings)) as store, bootstrap.calm_collector():
        service.base_bundles(store)
        shell.give("policies", folder)
        candidate = bootstrap.load_bundle(shell.settings, opa)
        with shell.progress("Refolding", Lookups(store).taken_in()) as progress:
            kept = keep_inputs(store, candidate, work or settings.home / "backtest", progress, _collect(store, jobs))
        evaluator = OpaChild(candidate, opa, in_flight=jobs or service.cores() + 1, limits=bootstrap.limits_of(settings))
        with closing(evaluator), shell.progress("Judging", count_inputs(kept)) as progress:
            try:
                result = service.backtest(store, candidate, evaluator, kept, options, progress)
            except KeyboardInterrupt:
                shell.say("Ended. The same command with --resume goes on from here.")
                raise
        windows = from_bytes(store.bundle(store.first_bundle())).windows
    if other := sorted(name for name, length in candidate.windows.items() if windows.get(name) != length):
        shell.say(f"It folds with another {', '.join(other)} than this store: it comes into force only in a store of its own.")
    said = document(result)
    if html is not None:
        html.write_text(page(said, f"http://{settings.host}:{settings.port}"), encoding="utf-8")
        shell.say(f"The page is {html}.")
    if shell.format == "csv":
        shell.rows(said["rows"], COLUMNS)
    else:
        shell.document(said, lambda: in_words(said))


def _collect(store: SqlStore, jobs: int | None) -> Collect | None:
    """Give how the journal is refolded: by several processes where there is enough to do, else (None) by this one."""
    processes = min(jobs or service.cores(), service.cores())
    if processes < 2 or Lookups(store).taken_in() < PARALLEL_FROM:
        return None
    return lambda of, bundle, progress: refolded(of, bundle, processes, progress)
