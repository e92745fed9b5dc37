"""What every source promises, whatever bytes it is given. A new source is one line in `SOURCES`."""

from __future__ import annotations

import gzip
import io
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.domain.codec import identity, parse_event, write_event
from engine.domain.events import INBOUND_TYPES
from engine.intake.arrivals import Arrival
from engine.intake.contract import Options
from engine.intake.sources import open_source
from tests.intake import host_samples
from tests.intake import usage_samples as samples
from tests.intake.samples import ACME, MAPPINGS, NOW, arrivals, delivery, encoded, usage

JSON_ROWS = b"".join(
    [
        encoded(usage(), usage(id="u-2", type="compute.usage.gpu.v1", data={"person": "p", "gpu_seconds": "5"})),
        encoded([usage(id="u-3"), usage(id="u-4", data={})]),
        encoded(usage(id="u-5", type="compute.grant.issued.v1", data={"grant_id": "g", "holder": "p", "quantity": "5"})),
    ]
)
DELIVERIES = encoded(
    delivery("push", ref="refs/heads/main", commits=[{"message": "x\n\nSigned-off-by: A <a@x.org>", "author": {"email": "a"}}]),
    delivery("fork", forkee={"id": 2, "owner": {"login": "ann"}, "created_at": "2026-01-01T00:00:00Z"}, top={}),
    delivery("issues", "opened", issue={"created_at": "2026-01-01T00:00:00Z"}, top={"delivery": "g-1"}),
    delivery("issues", "opened", issue={"created_at": "2026-01-01T00:00:00Z"}, top={}),
    delivery("issues", "opened", issue={"created_at": "2026-01-01T00:00:00Z"}, top={}),
    delivery("team", "created", repository=None),
)
REQUESTS = (
    b"gmt_create,predict_type,predict_status,exec_time_seconds,groupId,checkpoint_model_version_id\n"
    b"2024-11-15 16:57:50,TXT_2_IMG,SUCCEED,32.0,G0,M0\n2024-11-15 16:57:50,TXT_2_IMG,SUCCEED,32.0,G0,M0\n"
    b'2024-11-15 16:57:51,IMG_2_IMG,PENDING,1.0,"G1",\n2024-11-15 16:57:51,IMG_2_IMG,FAILED,1.0,G1,\n'
    b"2024-11-15 16:57:52,IMG_2_IMG,UNHEARD,1.0,G1,\n"
)
JOBS = (
    b"timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,11cb48\n"
    b"2017-10-09 06:13:03,2951.0,8,23608.0,6214e9\n2017-10-09 06:13:03,2951.0,8,23608.0,6214e9\n2017-10-09,1,1,1,x\n"
)
SOURCES = {
    "cloudevents": ("cloudevents", JSON_ROWS),
    "github": ("github", DELIVERIES),
    "gharchive": ("gharchive", host_samples.GHARCHIVE),
    "github-audit": ("github-audit", host_samples.AUDIT),
    "gitlab": ("gitlab", host_samples.GITLAB),
    "gitea": ("gitea", host_samples.GITEA),
    "forgejo": ("forgejo", host_samples.GITEA),
    "bitbucket": ("bitbucket", host_samples.BITBUCKET),
    "git": ("git", host_samples.HISTORY),
    "litellm": ("litellm", samples.LITELLM),
    "otel": ("otel", samples.OTEL),
    "openmeter": ("openmeter", samples.OPENMETER),
    "openai": ("openai", samples.OPENAI),
    "anthropic": ("anthropic", samples.ANTHROPIC),
    "slurm": ("slurm", samples.SLURM),
    "sacct": ("sacct", samples.SACCT),
    "focus": ("focus", samples.FOCUS),
    "ocf": ("ocf", samples.OCF),
    "copilot": ("copilot", samples.COPILOT),
    "map:alibaba_genai.yaml": (f"map:{MAPPINGS / 'alibaba_genai.yaml'}", REQUESTS),
    "map:philly.yaml": (f"map:{MAPPINGS / 'philly.yaml'}", JOBS),
}
"""Name, and a file with rows that are taken in and rows that are refused."""
WITH_HEADER = tuple(name for name in SOURCES if name.startswith("map:") or name in {"sacct", "focus"})
JSON_SOURCES = tuple(name for name in SOURCES if name not in WITH_HEADER)

every_source = pytest.mark.parametrize("name", SOURCES)
many = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(name: str, content: bytes, options: Options = ACME) -> list[Arrival]:
    """Read a file by a source, and check what every arrival promises."""
    found = arrivals(SOURCES[name][0], content, options)
    for arrival in found:
        check(arrival)
    return found


def check(arrival: Arrival) -> None:
    """Hold one arrival to its word: an event or a refusal; the event goes over the wire, the refusal is for a person."""
    assert (arrival.event is None) != (arrival.refusal is None)
    assert arrival.where.startswith("file:")
    if arrival.event is not None:
        assert arrival.event.type in INBOUND_TYPES
        assert parse_event(write_event(arrival.event)) == arrival.event
    if arrival.refusal is not None:
        assert arrival.refusal.message.endswith(".")
        assert arrival.refusal.do.endswith((".", "?"))
        assert len(arrival.refusal.message) < 1000
        assert arrival.refusal.code
        assert "\0" not in arrival.refusal.field


def same(one: list[Arrival], other: list[Arrival]) -> bool:
    """Whether two readings say the same."""
    return [told(arrival) for arrival in one] == [told(arrival) for arrival in other]


def told(arrival: Arrival) -> tuple[Any, ...]:
    """Give all that an arrival says."""
    return arrival.event, str(arrival.refusal), arrival.raw, arrival.where


@every_source
def test_the_sample_has_both_events_and_refusals(name: str) -> None:
    """So that the other tests here test something."""
    assert {arrival.event is None for arrival in read(name, SOURCES[name][1])} == {True, False}


@every_source
@many
@given(content=st.binary(max_size=2000))
@example(content=b"\x1f\x8b\x08")
@example(content=b'"' * 300)
@example(content=b'"\n' * 300)
def test_no_bytes_make_a_source_raise(name: str, content: bytes) -> None:
    """Arbitrary bytes: each non-empty line or row is an event or a refusal."""
    assert same(read(name, content), read(name, content))


@every_source
@many
@given(data=st.data())
def test_no_damage_to_a_good_file_makes_a_source_raise(name: str, data: st.DataObject) -> None:
    """Bytes cut out, put in and repeated; plain or within an archive."""
    content = SOURCES[name][1]
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 20)))
        put = data.draw(st.binary(max_size=6) | st.sampled_from([b'"', b"\\u0000", b"\\ud800", b"{}", b"null", b"-1", b"1e99"]))
        content = content[:start] + put + content[end:]
    assert same(read(name, content), read(name, content))
    packed = gzip.compress(content)
    cut = data.draw(st.integers(2, len(packed)))
    read(name, packed[:cut])


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=300)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the path of every value within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for key, one in inner for leaf in leaves(one, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Give a copy with the value at a path replaced."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("name", JSON_SOURCES)
@many
@given(data=st.data())
def test_no_value_in_any_place_makes_a_source_raise(name: str, data: st.DataObject) -> None:
    """Every attribute, at every depth, replaced by any other JSON value."""
    row = json.loads(data.draw(st.sampled_from(SOURCES[name][1].splitlines())))
    changed = replaced(row, data.draw(st.sampled_from(leaves(row))), data.draw(JSON))
    read(name, json.dumps(changed).encode())


@every_source
def test_the_same_bytes_twice_give_the_same_identities(name: str) -> None:
    """So that a file sent again is all duplicates; and no two events of one file share an identity."""
    first, second = (
        [identity(one.event) for one in read(name, SOURCES[name][1]) if one.event] for _ in range(2)
    )  # fmt: skip
    assert first == second
    assert len(set(first)) == len(first)


@every_source
def test_identities_do_not_depend_on_the_order_of_the_rows(name: str) -> None:
    """Nor on what else the file holds: never a line number."""
    content = SOURCES[name][1]
    head, rows = (content.splitlines(keepends=True)[:1], content.splitlines(keepends=True)[1:])
    head, rows = (head, rows) if name in WITH_HEADER else ([], head + rows)
    expected = sorted(identity(one.event) for one in read(name, content) if one.event)
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        again = read(name, b"".join([*head, b"\n", rows[0][:-1] + b"x\n", *rows]))
        found = [identity(one.event) for one in again if one.event]
        assert [one for one in expected if one not in found] == []


@pytest.mark.parametrize("name", [name for name in SOURCES if not name.startswith("map:")])
def test_what_a_refusal_keeps_can_be_read_again(name: str) -> None:
    """And is refused for the same reason, until that is mended: so that it can be redriven."""
    for one in read(name, SOURCES[name][1]):
        if one.refusal is not None:
            again = [found.refusal.code for found in read(name, one.raw) if found.refusal is not None]
            assert one.refusal.code in again


@every_source
def test_an_archive_says_what_the_plain_file_says(name: str) -> None:
    """Known by its first bytes, not by its name."""
    content = SOURCES[name][1]
    assert same(read(name, gzip.compress(content)), read(name, content))


@every_source
def test_a_stream_that_drips_says_what_a_whole_file_says(name: str) -> None:
    """A pipe gives what it has."""
    content = SOURCES[name][1]

    class Drip(io.BytesIO):
        """Seven bytes at a time."""

        def read(self, size: int | None = -1, /) -> bytes:
            """Give at most seven."""
            return super().read(min(size or 0, 7))

    found = list(open_source(SOURCES[name][0]).arrivals(Drip(content), "file", ACME))
    assert same(found, read(name, content))


@every_source
def test_a_source_is_lazy(name: str) -> None:
    """The first arrival is there before the file has ended."""

    class Watched(io.BytesIO):
        """Counts what was read."""

        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            """Count."""
            part = super().read(min(size or 0, 1 << 16))
            Watched.taken += len(part)
            return part

    head, *rows = SOURCES[name][1].splitlines(keepends=True)
    content = head + b"".join(rows) * 5000
    next(iter(open_source(SOURCES[name][0]).arrivals(Watched(content), "file", ACME)))
    assert Watched.taken < len(content) / 2


@every_source
def test_nothing_from_the_future_is_taken_in(name: str) -> None:
    """Each source checks the present it is told."""
    past = Options(organisation="acme", now_us=1)
    found = read(name, SOURCES[name][1], past)
    assert [one for one in found if one.event] == []
    assert {one.refusal.code for one in found if one.refusal} >= {"in-the-future"}
    assert len([one for one in read(name, SOURCES[name][1], Options(organisation="acme", now_us=NOW)) if one.event]) > 0
