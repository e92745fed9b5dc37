"""The obvious build: a Faust agent that, for each event, asks OPA through opa-python-client and commits one SQLModel row.

Written as the three libraries' own guides do it, and spared what isn't theirs: the inputs arrive with their facts folded,
so that this build folds nothing, keeps no violations and publishes nothing. Run as a process: `python -m
tests.bench.peers.naive worker -l warn`; it reads its broker, OPA and database from the environment.
"""

from __future__ import annotations

import os
import time
from typing import Any

import faust
from opa_client import create_opa_client
from sqlalchemy import BigInteger, Column, create_engine
from sqlmodel import Field, Session, SQLModel

TOPIC = os.environ.get("NAIVE_TOPIC", "naive.inputs")


class NaiveDecision(SQLModel, table=True):
    """What was decided of one event."""

    __tablename__ = "naive_decision"
    id: str = Field(primary_key=True)
    type: str
    breaches: int
    decided_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    """µs UTC."""


app = faust.App(
    f"{TOPIC}.decider",
    broker=f"kafka://{os.environ.get('NAIVE_BROKER', '127.0.0.1:9092')}",
    consumer_auto_offset_reset="earliest",
    value_serializer="json",
    web_enabled=False,
    topic_disable_leader=True,
    topic_allow_declare=False,
)
inputs = app.topic(TOPIC, internal=False)
engine = create_engine(os.environ.get("NAIVE_STORE", "sqlite://"))
opa = create_opa_client(host="127.0.0.1", port=int(os.environ.get("NAIVE_OPA_PORT", "8181")))


@app.agent(inputs)
async def decide(stream: faust.StreamT[dict[str, Any]]) -> None:
    """Decide events one by one."""
    async for document in stream:
        answer = opa.query_rule(input_data=document, package_path="covenant.main", rule_name="decision")
        event = document["event"]
        with Session(engine) as session:
            row = NaiveDecision(
                id=event["id"],
                type=event["type"],
                breaches=len(answer["result"]["breach"]),
                decided_at=time.time_ns() // 1000,
            )
            session.merge(row)
            session.commit()


if __name__ == "__main__":
    SQLModel.metadata.create_all(engine, tables=[NaiveDecision.__table__])  # type: ignore[attr-defined]
    app.main()
