"""What stands in a folder of policies beside the rules' own texts: packages, data, a manifest, the register of codes.

Owns the sentences about files in the wrong place, roots that overlap, definitions that conflict once all files are loaded
together, and a code that was another rule's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engine.policy.modules import FAMILIES, Module
from engine.policy.thresholds import PARAMS, Problem

CODES: Final = "codes.json"
"""Every code that was ever used → the title it was first used for."""
MANIFEST: Final = ".manifest"
ROOTS: Final = ("covenant", "facts", "params")
"""What a bundle of ours holds of OPA's `data`."""
DATA: Final = (PARAMS, "clauses.json", "fixtures.json", "signature.json", CODES)


def misplaced(folder: Path) -> Iterator[Problem]:
    """Give the files that nothing would ask, or that would hide another's data."""
    for path in sorted(folder.rglob("*.rego")):
        parts = path.relative_to(folder).parts
        if parts[0] not in (*FAMILIES, "lib") and parts not in (("main.rego",), ("main_test.rego",)):
            do = f"Rules live in {' or '.join(FAMILIES)}, helpers in lib."
            yield Problem("/".join(parts), "nothing would ask it.", do)
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".json", ".yaml", ".yml")):
        name = path.relative_to(folder).as_posix()
        if name not in DATA:
            yield Problem(name, _overlap(path, name), f"Put thresholds into {PARAMS} and remove this file.")
    yield from _manifest(folder / MANIFEST)


def _overlap(path: Path, name: str) -> str:
    """Say what a data file is that isn't one of ours: OPA loads it below the path of its folder."""
    above = name.split("/")[:-1]
    try:
        keys = above[:1] or sorted(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        keys = above[:1]
    for key in keys:
        if key in ROOTS:
            return f"overlapping roots: it would lie over {key}, which is there already."
    return "it is data that no rule may read."


def _manifest(path: Path) -> Iterator[Problem]:
    if not path.exists():
        return
    do = "Covenant writes the manifest of a bundle itself: correct it, or remove it."
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        roots = manifest.get("roots", list(ROOTS))
        good = isinstance(roots, list) and all(isinstance(root, str) for root in roots)
    except json.JSONDecodeError as error:
        yield Problem(f"{MANIFEST}:{error.lineno}", f"it isn't JSON: {error.msg[0].lower()}{error.msg[1:]}.", do)
        return
    except (OSError, UnicodeDecodeError, AttributeError):
        good, roots, manifest = False, [], {}
    if not good:
        yield Problem(MANIFEST, "it isn't a manifest: an object whose roots are a list of texts.", do)
        return
    for one in sorted(roots):
        for other in sorted(roots):
            if one != other and (other.startswith(f"{one}/") or not one):
                yield Problem(MANIFEST, f"overlapping roots: {other} lies within {one or 'the root of all'}.", do)
    for root in ROOTS:
        if not any(root == one or not one for one in roots):
            yield Problem(MANIFEST, f"its roots leave out {root}, so OPA wouldn't load it.", do)
    if manifest.get("rego_version", 1) != 1:
        yield Problem(MANIFEST, "it asks for Rego v0.", "Rules are written in Rego v1: remove rego_version.")


def conflicts(libraries: Sequence[Module]) -> Iterator[Problem]:
    """Give packages in the wrong place, and names with one value that two files of the libraries define."""
    first: dict[str, str] = {}
    for module in libraries:
        if not module.package.startswith("data.covenant.lib.") and module.package != "data.covenant.testing":
            package = f"covenant.lib.{module.path.stem}"
            yield Problem(f"{module.name}:1", f"its package is {module.package[5:]}.", f"Write `package {package}`.")
        for head in module.heads:
            name = f"{module.package}.{head.name}"
            other = first.setdefault(name, module.name)
            if other != module.name and not head.contains:
                do = "They fail together, event by event, where their values differ: give one of them another name."
                yield Problem(f"{module.name}:{head.row}", f"conflicting rules: {other} defines {head.name} too.", do)


def codes(folder: Path, modules: Sequence[Module], *, shipped: bool) -> Iterator[Problem]:
    """Give codes that two rules have, that were another rule's before and, if `shipped`, that the register lacks."""
    used: dict[str, str] = {}
    register, wrong = read_codes(folder)
    if wrong:
        yield wrong
    for module in modules:
        for head in module.named("breach")[:1]:
            code, title = str(head.custom.get("code", "")), str(head.notes.get("title", ""))
            where, do = f"{module.name}:{head.row}", "A code is never reused: take the next free one."
            if other := used.get(code):
                yield Problem(where, f"the code {code} is used by {other} too.", do)
            elif register.get(code, title) != title and title:
                also = f"{do} If it is the same rule under another title, change {CODES} with it."
                yield Problem(where, f'the code {code} was used for "{register[code]}".', also)
            elif shipped and code and code not in register and not wrong:
                yield Problem(where, f"the code {code} isn't registered.", f'Add "{code}": "{title}" to {CODES}.')
            used.setdefault(code, module.name)


def read_codes(folder: Path) -> tuple[Mapping[str, str], Problem | None]:
    """Read the register; empty where there is none yet."""
    path = folder / CODES
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["codes"] if path.exists() else {}
        return dict(found), None
    except (OSError, ValueError, KeyError, TypeError) as error:
        return {}, Problem(CODES, f"it can't be read: {error!r}.", 'It maps each code to its first title: {"codes": {…}}.')
