"""A mapping file that is wrong is said to be, once, in a sentence; what the project ships and documents is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.domain.errors import UsageError
from engine.intake.mapping import Mapped
from engine.intake.sources import open_source, source_names
from tests.intake.samples import MAPPINGS

ROOT = Path(__file__).parents[2]
GOOD = (MAPPINGS / "alibaba_genai.yaml").read_text()
ACTOR = "credential: {column: groupId, prefix: alibaba/}"
PROVIDER = "provider: {constant: alibaba}"
WRONG = {
    "nothing": ("", "Expected keys such as source, type, time and data, got nothing."),
    "a list": ("- x", "got a list"),
    "no YAML": ("a: [", "This is not YAML in line 1"),
    "a zero byte": ("a: \0", "This is not YAML"),
    "a loop": ("a: &a {b: *a}", "This is not YAML"),
    "a Python object": (GOOD.replace("csv", "!!python/object:os.system x"), "could not determine a constructor"),
    "a key twice": (GOOD + "source: y\n", "source is given twice"),
    "a list for a key": ("[a, b]: 1", "a key must be a text"),
    "too long": ("#" * 70_000, "65,536 is the most"),
    "unknown key": (GOOD + "sauce: 1\n", "Did you mean source?"),
    "missing key": (GOOD.replace("source: alibaba-genai", ""), "source: missing; expected a text"),
    "another format": (GOOD.replace("format: csv", "format: xml"), "format: expected one of csv, json-lines, got 'xml'."),
    "a delimiter of two": (GOOD + "delimiter: '||'\n", "delimiter: expected a text"),
    "a quote for a delimiter": (GOOD + "delimiter: '\"'\n", "can't separate cells"),
    "a slash": (GOOD + "organisation: a/b\n", "a text without a slash"),
    "unknown type": (GOOD.replace("usage.inference", "usage.inferense"), "Did you mean compute.usage.inference.v1?"),
    "an internal type": (GOOD.replace("usage.inference", "grant.assigned"), "is not an event type Covenant accepts"),
    "unknown zone": (GOOD.replace("Asia/Shanghai", "Asia/Atlantis"), "time.zone: 'Asia/Atlantis' is no IANA zone."),
    "no zone": (GOOD.replace("zone: Asia/Shanghai", ""), "time.zone: missing"),
    "misspelt zone": (GOOD.replace("zone:", "zoned:"), "Did you mean time.zone?"),
    "unknown reading": (GOOD.replace("zone:", "ambiguous: perhaps\n  zone:"), "expected one of earlier, later, refuse"),
    "constant seconds": (GOOD.replace("zone:", "plus: {constant: 5}\n  zone:"), "time.plus: expected a column of seconds."),
    "unknown field": (GOOD.replace("  unit:", "  units:"), "Did you mean data.unit?"),
    "unknown key of a field": (GOOD.replace("default:", "defalt:"), "Did you mean data.model.default?"),
    "neither column nor constant": (GOOD.replace(PROVIDER, "provider: {}"), "exactly one of column, constant and fields"),
    "column and constant": (GOOD.replace(PROVIDER, "provider: {constant: a, column: b}"), "exactly one of column, constant"),
    "a bare word": (GOOD.replace(PROVIDER, "provider: alibaba"), "data.provider: expected an object with column, constant"),
    "a constant with a prefix": (GOOD.replace(PROVIDER, "provider: {constant: a, prefix: b}"), "a constant has no default"),
    "a wrong constant": (GOOD.replace("constant: second", "constant: 9 seconds"), "data.unit: expected a unit such as CCU"),
    "a wrong default": (GOOD.replace("default: unknown", "default: 5"), "data.model: expected a text of 1 to 256 characters"),
    "a wrong value": (
        GOOD.replace("SUCCEED: settled", "SUCCEED: done"),
        "data.state.values: expected one of failed, provisional",
    ),
    "a date for a text": (GOOD.replace("constant: alibaba", "constant: 2024-01-01"), "got a date"),
    "a scale of nothing": (GOOD.replace("exec_time_seconds}", "exec_time_seconds, scale: 1/0}"), "data.quantity.scale: expected"),
    "a scale of a text": (GOOD.replace(PROVIDER, "provider: {column: a, scale: 2}"), "scale and times are for numbers"),
    "a separator of a text": (GOOD.replace(PROVIDER, "provider: {column: a, separator: ;}"), "separator is for lists"),
    "an object from a column": (GOOD.replace(PROVIDER, "consumer: {column: a}"), "Write data.consumer: {fields: {kind:"),
    "fields of a text": (GOOD.replace(PROVIDER, "provider: {fields: {a: {column: b}}}"), "has no fields of its own"),
    "a missing inner field": (
        GOOD.replace(PROVIDER, "consumer: {fields: {kind: {constant: email}}}"),
        "data.consumer.value: missing",
    ),
    "no actor": (GOOD.replace("actor:\n  " + ACTOR, ""), "actor: missing; compute.usage.inference.v1 needs somebody to charge."),
    "two actors": (GOOD.replace(ACTOR, ACTOR + "\n  person: {column: p}"), "expected exactly one of person, credential"),
    "an actor of another event": (GOOD.replace(ACTOR, "login: {column: p}"), "actor may have person, credential, user."),
    "a user without a kind": (GOOD.replace(ACTOR, "user: {column: p}"), "actor.user.kind: missing"),
    "a user that is a text": (GOOD.replace(ACTOR, "user: groupId"), "actor.user: expected an object with a column"),
    "a wrong kind": (GOOD.replace(ACTOR, "user: {column: p, kind: No!}"), "expected a kind such as login or email"),
    "an actor twice": (GOOD.replace(PROVIDER, "credential: {column: x}"), "data.credential is given too"),
    "an event without actors": (GOOD.replace("usage.inference", "grant.issued"), "compute.grant.issued.v1 has none"),
    "columns that aren't listed": (GOOD + "columns: [groupId]\n", "columns: has no checkpoint_model_version_id"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_mapping_is_one_clear_sentence(name: str) -> None:
    """Naming the file, the key, and what to write instead."""
    text, words = WRONG[name]
    with pytest.raises(UsageError) as caught:
        Mapped(text, "m.yaml")
    assert words in str(caught.value)
    assert caught.value.message.startswith("m.yaml: ")
    assert caught.value.do
    assert "`" not in caught.value.message


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_mappings_shipped_are_sound(path: Path) -> None:
    """They are opened by their path."""
    assert open_source(f"map:{path}").name == f"map:{path.name}"


def test_the_mapping_in_the_documentation_is_sound() -> None:
    """And every key of a mapping is explained there."""
    page = (ROOT / "docs" / "mappings.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    Mapped(example, "page")
    for key in ("source", "type", "time", "data", "actor", "id", "format", "delimiter", "columns", "organisation", "plus"):
        assert f"| `{key}` |" in page
    for key in ("values", "default", "prefix", "scale", "times", "separator", "zone", "ambiguous", "skipped"):
        assert f"| `{key}` |" in page


def test_keys_are_taken_as_they_are_written() -> None:
    """YAML would make numbers of 1 and 007, and a truth value of no."""
    values = "values: {1: settled, 007: failed, no: provisional}"
    Mapped(GOOD.replace("values: {SUCCEED: settled, PENDING: provisional, FAILED: failed}", values), "m.yaml")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("map:no/such.yaml", "The mapping no/such.yaml can't be read: no such file or directory."),
        (f"map:{MAPPINGS}", "can't be read: is a directory."),
        ("cloudevent", "Did you mean cloudevents?"),
        ("nothing-like-it", "Use one of cloudevents, github, "),
    ],
)
def test_a_source_that_is_not_there_is_said_to_be(name: str, words: str) -> None:
    """With what to write instead."""
    with pytest.raises(UsageError) as caught:
        open_source(name)
    assert words in str(caught.value)


def test_a_mapping_that_is_no_text_is_said_to_be(tmp_path: Path) -> None:
    """A binary file given by mistake."""
    (tmp_path / "m.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="it is not UTF-8 text"):
        open_source(f"map:{tmp_path / 'm.yaml'}")


def test_every_source_named_can_be_opened() -> None:
    """But for the declared ones, whose form is shown."""
    *names, declared = source_names()
    assert [open_source(name).name for name in names] == names
    assert declared == "map:FILE.yaml"
