"""The first tables: lanes and batches, journal and decisions, what stands, messages and bundles."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KINDS: dict[str, Any] = {
    "int": sa.Integer(),
    "big": sa.BigInteger(),
    "text": sa.String(),
    "word": BYTEWISE,
    "bytes": sa.LargeBinary(),
    "flag": sa.Boolean(),
}
ROWS: dict[str, Any] = {"sqlite_with_rowid": False}
TERMS = "(substr(type, 1, 14) = 'compute.grant.' OR type IN ('compute.person.hired.v1', 'compute.person.terminated.v1'))"


LINKS = (
    "type IN ('compute.alias.linked.v1', 'compute.alias.unlinked.v1', 'compute.credential.created.v1', "
    "'compute.credential.revoked.v1', 'compute.grant.assigned.v1', 'compute.repository.named.v1')"
)


def table(name: str, key: str, columns: str, **options: Any) -> None:
    """Create a table: `columns` reads `kind: name name; kind: name`, `key` names those of the primary key."""
    made = [
        sa.Column(column, KINDS[kind.strip()], nullable=False, autoincrement=False)
        for kind, _, names in (group.partition(":") for group in columns.split(";"))
        for column in names.split()
    ]
    op.create_table(name, *made, sa.PrimaryKeyConstraint(*key.split()), **options)


def upgrade() -> None:
    truth()
    decisions()
    standing()
    around()


def truth() -> None:
    """Lanes, batches, journal, identities, and what events were made from."""
    op.create_table(
        "lane",
        sa.Column("lane", sa.Integer(), nullable=False, autoincrement=False, primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("version", "reference", "watermark", "outbox_sequence")),
        sa.Column("published", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("behind", sa.Boolean(), nullable=False),
    )
    table("position", "lane input", "int: lane; word: input; big: next", **ROWS)
    table(
        "batch", "lane version",
        "int: lane; big: version; text: kind; big: recorded_at reference watermark; text: work held;"
        "int: horizon; flag: caught_up behind; big: learnt_from learnt_until; int: lanes read accepted duplicates;"
        "big: outbox_sequence",
        **ROWS,
    )  # fmt: skip
    table(
        "journal", "lane version ordinal",
        "int: lane; big: version; int: ordinal; text: organisation; word: aggregate; text: identity type;"
        "big: time effective recorded_at; text: origin; int: revision; flag: withdrawn; text: event cause",
        **ROWS,
    )  # fmt: skip
    op.create_index("journal_aggregate", "journal", ["aggregate", "effective"])
    terms: dict[str, Any] = {"sqlite_where": sa.text(TERMS), "postgresql_where": sa.text(TERMS)}
    op.create_index("journal_terms", "journal", ["aggregate"], **terms)
    links: dict[str, Any] = {"sqlite_where": sa.text(LINKS), "postgresql_where": sa.text(LINKS)}
    op.create_index("journal_links", "journal", ["aggregate"], **links)
    table("seen", "identity", "word: identity; text: content", **ROWS)
    table("original", "identity", "word: identity; text: payload", **ROWS)
    table("payload", "digest", "word: digest; int: size; bytes: body")


def decisions() -> None:
    """Decisions, withdrawals, inputs."""
    table(
        "decision", "lane version ordinal",
        "int: lane; big: version; int: ordinal; word: id; text: organisation; word: aggregate;"
        "text: identity source event_id type; big: time; text: bundle input_digest; int: fold_version;"
        "text: opa_version outcomes verdict supersedes cause; flag: stands",
        **ROWS,
    )  # fmt: skip
    op.create_index("decision_id", "decision", ["id"])
    op.create_index("decision_aggregate", "decision", ["aggregate", "stands", "time"])
    table("withdrawal", "lane version id", "int: lane; big: version; word: id; text: cause", **ROWS)
    table("input", "digest", "word: digest; bytes: body")


def standing() -> None:
    """Postings, violations and their changes, what couldn't be judged, derived facts, aggregates."""
    table(
        "posting", "lane version ordinal",
        "int: lane; big: version; int: ordinal; text: organisation; word: aggregate; text: identity grant holder unit kind;"
        "big: amount time recorded_at",
        **ROWS,
    )  # fmt: skip
    op.create_index("posting_aggregate", "posting", ["aggregate"])
    vested: dict[str, Any] = {"sqlite_where": sa.text("kind = 'vested'"), "postgresql_where": sa.text("kind = 'vested'")}
    op.create_index("posting_vested", "posting", ["aggregate"], **vested)
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("posting_times", "posting", ["time", "recorded_at"], postgresql_using="brin")
    table(
        "balance_snapshot", "before known_at organisation holder grant unit kind",
        "big: before known_at; word: organisation holder grant unit kind; big: amount",
        **ROWS,
    )  # fmt: skip
    table(
        "violation", "id",
        "word: id; int: lane; text: organisation rule; word: aggregate; text: discriminator severity clause respondent;"
        "word: holder; text: repository status; flag: settled; big: opened_at last_seen_at; int: count;"
        "text: first_decision last_decision evidence sentence; int: version; big: settle_us",
    )  # fmt: skip
    op.create_index("violation_rule", "violation", ["rule"])
    op.create_index("violation_holder", "violation", ["holder"])
    op.create_index("violation_aggregate", "violation", ["aggregate"])
    unsettled: dict[str, Any] = {"sqlite_where": sa.text("settled = 0"), "postgresql_where": sa.text("NOT settled")}
    op.create_index("violation_unsettled", "violation", ["lane"], **unsettled)
    table(
        "violation_change", "violation version",
        "word: violation; int: version lane; text: change decision cause; big: time recorded_at; int: count",
    )  # fmt: skip
    counted = sa.text("change IN ('opened', 'reopened', 'settled')")
    op.create_index("change_counted", "violation_change", ["recorded_at"], sqlite_where=counted, postgresql_where=counted)
    table(
        "indeterminate", "aggregate rule fact",
        "word: aggregate rule fact; int: lane; text: organisation reason; int: count; big: first_at last_at; text: last_decision",
        **ROWS,
    )  # fmt: skip
    table(
        "derived", "aggregate key target",
        "word: aggregate key target; int: lane; text: identity; int: revision; text: content",
        **ROWS,
    )  # fmt: skip
    again: dict[str, Any] = {"sqlite_where": sa.text("revision > 1"), "postgresql_where": sa.text("revision > 1")}
    op.create_index("derived_again", "derived", ["aggregate"], **again)
    table("checkpoint", "aggregate", "word: aggregate; int: lane; big: since; text: fold; bytes: body")
    table("dropped", "organisation kind lane", "word: organisation kind; int: lane; big: count last_at", **ROWS)
    table("aggregate", "aggregate", "word: aggregate; int: lane; big: newest dirty_from due; text: causes", **ROWS)
    dirty = sa.text("dirty_from >= 0")
    op.create_index("aggregate_dirty", "aggregate", ["lane"], sqlite_where=dirty, postgresql_where=dirty)


def around() -> None:
    """Refusals, messages, bundles."""
    table(
        "refused", "id",
        "word: id; text: organisation source code field reason do where; bytes: raw; big: recorded_at",
    )  # fmt: skip
    table("outbox", "lane sequence", "int: lane; big: sequence; text: topic key; bytes: value")
    table("bundle", "digest", "word: digest; bytes: body; big: recorded_at")
    table(
        "shadow", "bundle aggregate identity", "word: bundle aggregate identity; text: type; big: time; text: verdict outcomes",
        **ROWS,
    )  # fmt: skip


def downgrade() -> None:
    for name in (
        "shadow", "bundle", "outbox", "refused", "dropped", "aggregate", "checkpoint", "derived", "indeterminate",
        "violation_change", "violation",
        "balance_snapshot", "posting", "input", "withdrawal", "decision",
        "payload", "original", "seen", "journal", "batch", "position", "lane",
    ):  # fmt: skip
        op.drop_table(name)
