"""The documents are true: commands exist, help is the program's, settings are all there, links and paths lead somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from engine.cli.main import main
from engine.policy.checking import problems
from streams.topics import OUTBOUND
from tests.house.shown import parts, split
from tests.house.tracked import files, name, tracked
from tests.services.parts import ROOT

DOCUMENTS = [path for path in files(".md") if not name(path).startswith("policies/")]
FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:    |\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(covenant(?: .*)?)$")
INLINE = re.compile(r"`(covenant [^`]+)`")
MAKE = re.compile(r"(?:^|`)(?:    |\$ )?(?:[A-Z]+=\S+ )?make ([a-z]+)", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ROOT_FILES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "Makefile", "requirements.lock")


def commands(text: str) -> Iterator[list[str]]:
    """Give every command `covenant …` that a document shows: on lines of their own, and in running text."""
    found = [match[1] for line in text.splitlines() if (match := COMMAND.match(line))] + INLINE.findall(text)
    for line in found:
        words = shlex.split(re.split(r"\s+[#|>]\s?|\s*\|\s", line)[0])
        yield words[1:]


def parse(arguments: list[str]) -> None:
    """Parse a command as the program would, without running it; click's own error if it can't."""
    context = click.Context(main, info_name="covenant", **main.context_settings)
    command: click.Command = main
    rest = arguments
    while True:
        parser = command.make_parser(context)
        parser.allow_interspersed_args = not isinstance(command, click.Group)
        values, rest, _ = parser.parse_args(list(rest))
        if not isinstance(command, click.Group):
            missing = [p.name for p in command.params if p.required and p.name not in values and isinstance(p, click.Option)]
            assert not missing, f"{arguments} lacks {missing}"
            assert not rest, f"{arguments}: nothing takes {rest}"
            return
        if not rest:
            return
        name_, rest = rest[0], rest[1:]
        found = command.get_command(context, name_)
        assert found is not None, f"there is no command {' '.join(arguments)}"
        context, command = click.Context(found, parent=context, info_name=name_, **found.context_settings), found


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_the_commands_shown_are_real(path: Path) -> None:
    """Each exists and takes the options it is shown with."""
    for arguments in commands(path.read_text()):
        parse([word for word in arguments if word not in ("…", "...")])


def test_a_command_that_is_not_real_would_be_noticed() -> None:
    """A wrong name, a wrong option, a missing one."""
    with pytest.raises(AssertionError, match="there is no command"):
        parse(["polices", "test"])
    with pytest.raises(click.NoSuchOption):
        parse(["policy", "test", "--formt", "json"])
    with pytest.raises(AssertionError, match="lacks"):
        parse(["policy", "build"])
    assert list(commands("    covenant ingest --from github x.jsonl   # comment\n")) == [
        ["ingest", "--from", "github", "x.jsonl"]
    ]


def test_the_targets_shown_are_the_makefiles() -> None:
    """And those promised are there."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {"setup", "demo", "test", "check", "bench", "serve"} <= targets
    for path in DOCUMENTS:
        fenced = "\n".join(
            line for line in path.read_text().splitlines() if line.startswith(("    ", "$ ", "make")) or "`" in line
        )
        assert set(MAKE.findall(fenced)) <= targets, name(path)
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def anchor(heading: str) -> str:
    """Give the anchor of a heading, as hosts make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", files(".md"), ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    """To a file of the repository, and to a heading in it."""
    text = FENCE.sub("", path.read_text())
    for link in LINK.findall(text):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        where, _, part = link.partition("#")
        target = (path.parent / where).resolve() if where else path
        assert target.exists(), f"{name(path)}: {link}"
        if part:
            assert part in {anchor(heading) for heading in HEADING.findall(target.read_text())}, f"{name(path)}: {link}"


def test_the_architectures_map_is_the_territory() -> None:
    """Every place on it exists, and every package of the program is on it."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    (block,) = [body for _, body in FENCE.findall(text.split("## Map", 1)[1].split("\n## ", 1)[0])]
    places = [line.split()[0] for line in block.splitlines() if line.strip()]
    assert [place for place in places if not (ROOT / place).exists()] == []
    packages = {name(path.parent) + "/" for path in tracked() if path.name == "__init__.py" and name(path).startswith("engine/")}
    top = {package for package in packages if package.count("/") <= 2} - {"engine/"}
    assert top <= set(places)


def test_the_root_has_what_people_look_for() -> None:
    """By the names they expect, and the licence's whole text."""
    assert [file for file in ROOT_FILES if not (ROOT / file).is_file()] == []
    assert "END OF TERMS AND CONDITIONS" in (ROOT / "LICENSE").read_text()


def test_the_topics_shown_to_subscribers_are_those_that_are_made() -> None:
    """All that go out, none else."""
    shown = re.findall(r"^\| `(covenant\.[a-z.-]+)` \|", (ROOT / "docs" / "subscriber.md").read_text(), re.MULTILINE)
    assert shown == [topic.name for topic in OUTBOUND]


def test_the_rule_shown_to_authors_passes_their_check(opa_binary: str, tmp_path: Path) -> None:
    """In the place of the one that ships."""
    folder = Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))
    (rule,) = [body for kind, body in FENCE.findall((ROOT / "docs" / "policy-author.md").read_text()) if kind == "rego"]
    (folder / "fair_use" / "fu_004.rego").write_text(rule)
    assert problems(Path(opa_binary), folder, shipped=True) == []


@pytest.mark.parametrize("number", range(5))
def test_what_documents_show_of_the_program_is_what_it_says(opa_binary: str, number: int) -> None:
    """Help, settings, sources, rules, a message; `python -m tests.house` writes them anew."""
    every = parts(Path(opa_binary))
    assert len(every) == 5
    document, before, after, make = every[number]
    _, shown, _ = split((ROOT / document).read_text(), before, after)
    assert shown == make(), f"{document}: run `python -m tests.house`"
