"""What Alembic runs: on the connection of the store being opened, or for an author on the store named by `-x store=URL`.

Never commits by itself: the step's transaction is the opener's, so that a migration is made whole or not at all.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

from engine.store import tables


def run(connection: Connection) -> None:
    """Run what was asked for."""
    context.configure(connection=connection, target_metadata=tables.Stored.metadata)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(context.get_x_argument(as_dictionary=True)["store"]).begin() as opened:
        run(opened)
