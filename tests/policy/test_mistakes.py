"""What authors get wrong, each in one sentence: where it is and what to do. None of it is loaded, so none of it judges."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.domain.errors import PolicyError
from engine.policy.bundle import load_bundle
from engine.policy.checking import problems
from tests.policy.servers import POLICIES

pytestmark = pytest.mark.needs_opa
RULE = "fair_use/fu_004.rego"
LINE = "\tinput.facts.grant.personal\n"
LISTED = "A decision must come out the same for ever, so a rule may call only what `capabilities.json` lists."
OWN = "Covenant writes the manifest of a bundle itself: correct it, or remove it."
YAML = "Close brackets, indent by two, quote a text that has `: ` in it."
DATA = "Put thresholds into params.json and remove this file."
Change = Callable[[Path], None]


def line(text: str, file: str = RULE, before: str = LINE) -> Change:
    """Put a line in the place of another; what is replaced must be there."""

    def change(folder: Path) -> None:
        path = folder / file
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, text, 1))

    return change


def files(**texts: str) -> Change:
    """Write files; `__` in a name is a slash, and a leading `_` a dot."""

    def change(folder: Path) -> None:
        for name, text in texts.items():
            path = folder / (f".{name[1:]}" if name.startswith("_") else name.replace("__", "/").replace("_rego", ".rego"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return change


def without_metadata(folder: Path) -> None:
    """Take the METADATA of a rule away."""
    text = (folder / RULE).read_text()
    (folder / RULE).write_text(text.split("# METADATA")[0] + "breach contains" + text.split("breach contains", 1)[1])


def without_threshold(folder: Path) -> None:
    """Take a rule's threshold out of everybody's set."""
    data = json.loads((folder / "params.json").read_text())
    del data["params"]["default"]["FU-004"]["consumers"]
    (folder / "params.json").write_text(json.dumps(data))


def reused(folder: Path) -> None:
    """Retire a rule and give its code to another one."""
    text = (folder / RULE).read_text()
    (folder / RULE).write_text(text.replace("# title: Several people on a personal grant", "# title: Something else"))


def twice(folder: Path) -> None:
    """Give one code to two rules."""
    text = (folder / RULE).read_text()
    (folder / "fair_use" / "fu_004b.rego").write_text(text)


MISTAKES: dict[str, tuple[Change, str]] = {
    "a syntax error": (
        line("\tinput.facts.grant.personal ==\n"),
        "fair_use/fu_004.rego:21: OPA says: cannot assign to call. Correct it there.",
    ),
    "a function given another type": (
        line('\tstartswith(input.facts.use.consumers_24h, "x")\n'),
        "fair_use/fu_004.rego:21: startswith is given what it can't take. `input.json` says of which type each field is.",
    ),
    "a comparison of two types": (
        line('\tinput.facts.use.consumers_24h > "3"\n'),
        ('fair_use/fu_004.rego:21: input.facts.use.consumers_24h is a whole number, and "3" isn\'t; `>` between them never '
        "comes out as meant. Compare it with a whole number."),
    ),
    "a comparison of two types by a name": (
        line('\tpeople := input.facts.use.consumers_24h\n\tpeople < "3"\n'),
        ('fair_use/fu_004.rego:22: input.facts.use.consumers_24h is a whole number, and "3" isn\'t; `<` between them never '
        "comes out as meant. Compare it with a whole number."),
    ),
    "a value that a field never has": (
        line('\tinput.event.consumer in {"holder", "others"}\n'),
        'fair_use/fu_004.rego:21: input.event.consumer is never "others". It is one of holder, other, unverified, none.',
    ),
    "a fact that doesn't exist": (
        line("\tinput.facts.grant.personel\n"),
        ("fair_use/fu_004.rego:21: input.facts.grant.personel isn't in any input. Did you mean input.facts.grant.personal? "
        "A rule may read what `input.json` describes."),
    ),
    "`not` over a fact": (
        line("\tnot input.facts.grant.personal\n"),
        ("fair_use/fu_004.rego:21: `not` over input.facts.grant.personal. A missing fact would make it true and accuse "
        "somebody: compare with what it must be (== false)."),
    ),
    "a missing threshold": (
        without_threshold,
        ('params.json, set "default": FU-004.consumers is missing. Add it: "Several people on a personal grant" asks for a '
        "whole number, at least 1."),
    ),
    "the clock": (line(f"{LINE}\ttime.now_ns() > 0\n"), f"fair_use/fu_004.rego:22: time.now_ns may not be called. {LISTED}"),
    "the network": (
        line(f'{LINE}\thttp.send({{"method": "get", "url": "https://example.com"}}).status_code == 200\n'),
        f"fair_use/fu_004.rego:22: http.send may not be called. {LISTED}",
    ),
    "conflicting rules of two kinds": (
        files(lib__one_rego="package covenant.fair_use\n\nbreach := {1}\n"),
        ("fair_use/fu_001.rego:19: conflicting rules: covenant.fair_use.breach is defined in another way elsewhere. A name is a "
        "set everywhere (`contains`), or one value in one place: correct one of them."),
    ),
    "conflicting rules in two files": (
        files(lib__one_rego="package covenant.lib.one\n\nlimit := 3\n", lib__two_rego="package covenant.lib.one\n\nlimit := 4\n"),
        ("lib/two.rego:3: conflicting rules: lib/one.rego defines limit too. They fail together, event by event, where their "
        "values differ: give one of them another name."),
    ),
    "a reused code": (
        reused,
        ('fair_use/fu_004.rego:18: the code FU-004 was used for "Several people on a personal grant". A code is never reused: '
        "take the next free one. If it is the same rule under another title, change codes.json with it."),
    ),
    "missing METADATA": (
        without_metadata,
        "fair_use/fu_004.rego:3: it has no METADATA. Write `# METADATA` and its keys above it, as in the rules that ship.",
    ),
    "bad YAML in an annotation": (
        line("#   severity: [high\n", before="#   severity: high\n"),
        f"fair_use/fu_004.rego:9: the YAML of its METADATA can't be read: did not find expected ',' or ']'. {YAML}",
    ),
    "a manifest that isn't JSON": (
        files(_manifest="{\n  roots: []\n}"),
        f".manifest:2: it isn't JSON: expecting property name enclosed in double quotes. {OWN}",
    ),
    "a manifest whose roots overlap": (
        files(_manifest='{"roots": ["covenant", "covenant/fair_use", "facts", "params"]}'),
        f".manifest: overlapping roots: covenant/fair_use lies within covenant. {OWN}",
    ),
    "a manifest whose roots leave something out": (
        files(_manifest='{"roots": ["covenant", "facts"]}'),
        f".manifest: its roots leave out params, so OPA wouldn't load it. {OWN}",
    ),
    "data over the data of others": (
        files(**{"mine.json": '{"params": {}}'}),
        f"mine.json: overlapping roots: it would lie over params, which is there already. {DATA}",
    ),
    "Rego v0": (
        files(fair_use__fu_004_rego="package covenant.fair_use\n\nbreach[x] {\n\tx := 1\n}\n"),
        ("fair_use/fu_004.rego:3: it is written in Rego v0. Write `breach contains {…} if {…}`; `opa fmt --v0-v1 --write FILE` "
        "rewrites what was written for v0."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_place_and_what_to_do(opa_binary: str, tmp_path: Path, mistake: str) -> None:
    """The whole sentence, and nothing beside it; the folder can't become a bundle."""
    change, sentence = MISTAKES[mistake]
    folder = Path(shutil.copytree(POLICIES, tmp_path / "policies"))
    change(folder)
    assert [str(problem) for problem in problems(Path(opa_binary), folder)] == [sentence]
    with pytest.raises(PolicyError):
        load_bundle(folder, Path(opa_binary))
