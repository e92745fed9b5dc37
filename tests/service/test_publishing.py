"""What leaves on topics: settled violations only, by pseudonym, never as more than an allegation, each change once."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec
import pytest

from engine.domain import cause
from engine.domain.records import DecisionRow, IndeterminateRow, RefusedRow, ViolationChange, ViolationRow
from engine.service.publishing import AUDIT, CURRENT, DEAD_LETTERS, FINDINGS, VIOLATIONS, Message, Publisher, Recorded

KEY = b"a key of the organisation's"
HOUR = 3_600_000_000
ROW = ViolationRow(
    id="v1", organisation="acme", rule="FU-007", aggregate="acme/person/p-1", discriminator='["c","2026-02"]',
    severity="critical", clause="G6", respondent="holder", holder="p-1", repository="", status="alleged", settled=True,
    opened_at=10 * HOUR, last_seen_at=10 * HOUR, count=1, first_decision="d1", last_decision="d1", evidence='{"quantity":"5"}',
    sentence="p-1 used 5 CCU after access ended.", version=2, settle_us=0,
)  # fmt: skip
DECISION = DecisionRow(
    id="d1", ordinal=0, organisation="acme", aggregate="acme/person/p-1", identity="i", source="s", event_id="e",
    type="t", time=1, bundle="b", input_digest="x", fold_version=1, opa_version="1",
    outcomes='{"FU-007":{"outcome":"violation","evidence":{}},"pass":["FU-008"]}',
    verdict="violation", supersedes="", cause="",
)  # fmt: skip


def replaced(row: ViolationRow, **changes: Any) -> ViolationRow:
    """A row with changes."""
    return msgspec.structs.replace(row, **changes)


LATE = cause.write(cause.Cause("acme/grant/g-1", "c1", "legal", "ap-1", "compute.approval.granted.v1", 1_000_000))
NAMED = {"source": "legal", "id": "ap-1", "type": "compute.approval.granted.v1", "time": "1970-01-01T00:00:01Z"}


def change(kind: str, version: int = 3, cause: str = "") -> ViolationChange:
    """A step in the violation's life."""
    return ViolationChange("v1", version, kind, "d2", cause, 1, 1, 1)


def said(**recorded: Any) -> list[Message]:
    """What a batch says."""
    return Publisher(KEY).messages(Recorded(lane=1, version=7, recorded_at=99, **recorded))


def on(topic: str, messages: list[Message]) -> list[dict[str, Any]]:
    """The events on a topic."""
    return [msgspec.json.decode(message.value) for message in messages if message.topic == topic]


def test_a_pseudonym_is_an_hmac_under_the_organisations_key() -> None:
    """HMAC-SHA256(organisation's key, person id), and nobody stays nobody."""
    publisher = Publisher(KEY)
    assert publisher.pseudonym("p-1") == hmac.new(KEY, b"p-1", hashlib.sha256).hexdigest()
    assert publisher.pseudonym("") == ""
    assert publisher.masked("acme/repository/r-1") == "acme/repository/r-1"
    assert publisher.masked("acme/alias/login:github.com/x").endswith(publisher.pseudonym("login:github.com/x"))


def test_what_is_provisional_is_told_to_nobody() -> None:
    """A violation that hasn't settled, opened or taken back, leaves on no topic."""
    provisional = replaced(ROW, settled=False, status="provisional")
    gone = replaced(provisional, status="retracted", count=0)
    assert said(violations=[provisional], changes=[change("opened")]) == []
    assert said(violations=[gone], before={"v1": provisional}, changes=[change("retracted")]) == []


def test_a_settled_violation_is_an_allegation_by_pseudonym_and_a_finding_with_its_evidence() -> None:
    """The public topics carry no name, the stricter one carries all that a person needs who handles it."""
    messages = said(violations=[ROW], before={"v1": replaced(ROW, settled=False)}, changes=[change("settled")])
    (public,), (current,), (finding,) = on(VIOLATIONS, messages), on(CURRENT, messages), on(FINDINGS, messages)
    assert public == current
    assert (public["type"], public["data"]["change"], public["subject"]) == ("compute.violation.opened.v1", "opened", "v1")
    assert public["data"]["actionable"] is False
    assert public["data"]["class_uid"] == 2003
    assert public["data"]["compliance"] == {"control": "FU-007", "requirements": ["G6"], "status": "Fail"}
    assert public["data"]["holder"] == Publisher(KEY).pseudonym("p-1")
    assert not [m for m in messages if m.topic in (VIOLATIONS, CURRENT) and (b"p-1" in m.value or "p-1" in m.key)]
    assert (finding["data"]["holder"], finding["data"]["evidence"]) == ("p-1", {"quantity": "5"})
    assert [m.key for m in messages if m.topic == FINDINGS] == ["acme/person/p-1"]
    assert [m.key for m in messages if m.topic == CURRENT] == ["v1"]


def test_a_retraction_says_what_caused_it() -> None:
    """The late fact that took a violation back is named, and the finding is closed."""
    gone = replaced(ROW, status="retracted", count=0, version=3)
    (event,) = on(VIOLATIONS, said(violations=[gone], before={"v1": ROW}, changes=[change("retracted", cause=LATE)]))
    assert (event["data"]["change"], event["data"]["cause"], event["data"]["status"]) == ("retracted", NAMED, "retracted")
    assert (event["data"]["activity_id"], event["data"]["compliance"]["status"]) == (3, "Pass")


@pytest.mark.parametrize(("later_us", "told"), [(1, False), (HOUR - 1, False), (HOUR, True), (30 * HOUR, True)])
def test_a_recurrence_is_told_at_most_hourly_with_a_count(later_us: int, told: bool) -> None:
    """Within an hour only the latest state moves on; in a new one it is told how often it happened meanwhile."""
    again = replaced(ROW, last_seen_at=ROW.last_seen_at + later_us, count=9, version=3)
    messages = said(violations=[again], before={"v1": ROW}, changes=[change("recurred")])
    assert [event["data"]["count"] for event in on(CURRENT, messages)] == [9]
    assert [event["data"]["change"] for event in on(VIOLATIONS, messages)] == ["recurred"] * told


def test_a_correction_is_always_told() -> None:
    """Evidence that changed within the hour isn't a recurrence, even beside one in the same batch."""
    other = replaced(ROW, evidence='{"quantity":"6"}', version=4)
    messages = said(violations=[other], before={"v1": ROW}, changes=[change("recurred"), change("superseded", 4)])
    assert [event["data"]["change"] for event in on(VIOLATIONS, messages)] == ["superseded"]


def test_a_violation_that_comes_back_is_opened_again() -> None:
    """After a retraction everybody read, the next statement is that it stands."""
    messages = said(violations=[ROW], before={"v1": replaced(ROW, status="retracted")}, changes=[change("reopened")])
    assert [event["data"]["change"] for event in on(VIOLATIONS, messages)] == ["opened"]


def test_what_comes_and_goes_within_a_batch_after_a_retraction_is_not_told_again() -> None:
    """Nobody was told that it was back, so nobody is told that it is gone."""
    gone = replaced(ROW, status="retracted", version=5)
    assert said(violations=[gone], before={"v1": replaced(gone, version=3)}, changes=[change("retracted")]) == []


def test_the_audit_tells_each_decision_that_is_not_a_pass_and_a_number_of_those_that_are() -> None:
    """Violations one by one without evidence or names, passes and indeterminate ones summed up."""
    passed = msgspec.structs.replace(DECISION, verdict="pass", ordinal=1)
    unsure = msgspec.structs.replace(DECISION, verdict="indeterminate", ordinal=2)
    told = on(AUDIT, said(decisions=[DECISION, passed, unsure]))
    assert [event["type"] for event in told] == ["compute.decision.recorded.v1", "compute.decision.summarised.v1"]
    assert told[0]["data"]["outcomes"] == {"FU-007": "violation"}
    assert told[1]["data"]["decisions"] == {"indeterminate": 1, "pass": 1, "violation": 1}
    assert b"p-1" not in msgspec.json.encode(told)


def test_what_could_not_be_judged_is_told_folded() -> None:
    """One message per rule, aggregate and missing fact, with a count: never one an event."""
    row = IndeterminateRow("acme", "IP-004", "acme/repository/r", "actor.person", "login isn't linked", 400, 1, 2, "d9")
    (event,) = on(AUDIT, said(indeterminates=[row]))
    assert (event["data"]["fact"], event["data"]["count"]) == ("actor.person", 400)


def test_a_refusal_is_a_dead_letter_with_its_reason_and_its_bytes() -> None:
    """Whoever reads it knows what was wrong, what to do, where it stood, and has it whole."""
    row = RefusedRow("r1", "", "", "not-json", "", "Not JSON.", "Send JSON.", "covenant.usage/2@7", b"\xff{oops", 5)
    messages = said(refused=[row])
    (letter,), (audited,) = on(DEAD_LETTERS, messages), on(AUDIT, messages)
    assert base64.b64decode(letter["data"]["raw_base64"]) == b"\xff{oops"
    assert (letter["data"]["reason"], letter["data"]["do"], letter["data"]["where"]) == (
        "Not JSON.",
        "Send JSON.",
        "covenant.usage/2@7",
    )
    assert "raw_base64" not in audited["data"]
    assert [m.key for m in messages] == ["unknown", "unknown"]


def test_saying_it_twice_gives_the_same_bytes() -> None:
    """Ids are functions of what is recorded, so that a second sending is known as such; other versions have other ids."""
    recorded = {"violations": [ROW], "decisions": [DECISION], "changes": [change("settled")]}
    assert said(**recorded) == said(**recorded)
    next_version = said(violations=[replaced(ROW, version=3)])
    assert on(CURRENT, said(**recorded))[0]["id"] != on(CURRENT, next_version)[0]["id"]
