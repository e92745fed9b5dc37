"""The command `covenant`: its commands by name, each in a module of its own that is imported when it is called.

To add one, write a click command that takes `@pass_shell` and register it here with one line of help.
"""

from __future__ import annotations

import click

from engine.cli.lazy import LazyGroup, shared_options

COMMANDS = {
    "demo": ("engine.cli.demo:demo", "Load the example company, judge it, and explain what was found."),
    "ingest": ("engine.cli.ingest:ingest", "Take in files of events, judge them and record what was found."),
    "convert": ("engine.cli.convert:convert", "Turn a source's own payloads into CloudEvents lines."),
    "events": ("engine.cli.events:events", "Describe the types of events, with examples and schemas."),
    "decisions": ("engine.cli.decisions:decisions", "List what the rules said of events, by outcome, rule and aggregate."),
    "violations": ("engine.cli.findings:violations", "List violations, or show one with its evidence."),
    "explain": ("engine.cli.explain:explain", "Make a decision again and show why it came out as it did."),
    "replay": ("engine.cli.replay:replay", "Refold the whole journal and compare with what was decided."),
    "export": ("engine.cli.replay:export", "Write what stands now, in a form two stores can be compared by."),
    "backtest": ("engine.cli.backtest:backtest", "See what another bundle would have found over all of history."),
    "ledger": ("engine.cli.ledger:ledger", "Show the balances of grants."),
    "policy": ("engine.cli.policy:policy", "Write, test, compare and build policies, and put them in force."),
    "dead-letters": ("engine.cli.dead_letters:dead_letters", "List, show and redrive refused events."),
    "names": ("engine.cli.names:names", "List unknown names, what waits under them, and what was dropped."),
    "worker": ("engine.cli.broker:worker", "Judge events from the broker's topics."),
    "relay": ("engine.cli.broker:relay", "Publish what was recorded to the broker's topics."),
    "serve": ("engine.cli.findings:serve", "Serve the console and the API on loopback."),
    "up": ("engine.cli.broker:up", "Run worker, relay and console in one process."),
    "topics": ("engine.cli.broker:topics", "Create or describe the broker's topics."),
    "doctor": ("engine.cli.doctor:doctor", "See whether all that Covenant needs is there, and what to look after."),
}


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    params=shared_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="covenant", message="%(prog)s %(version)s", prog_name="covenant")
def main() -> None:
    """Judge grants of compute by fair-use and IP policies, and keep a record that defends each finding.

    Exit codes: 0 yes; 1 the answer is no; 2 the command was written wrongly; 3 something it depends on isn't there.
    """


if __name__ == "__main__":
    main(prog_name="covenant")
