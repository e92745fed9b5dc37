"""What is lowered isn't retroactive: from when a sum counts towards a threshold that a newer agreement set lower. Pure.

A holder to whom another agreement version comes to apply, whose threshold is lower than that of the version before, isn't
charged with what was within the old one: the sum starts no earlier than that moment. So it is where a newer revision of the
policies sets the threshold lower from a date. A threshold that is the same or higher
changes nothing. What is compared with a person's own past (FU-002, IP-011) is no cap. A pool has no agreement: FU-019 is
lowered by a revision alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

SUMS: Final[dict[str, tuple[str, ...]]] = {
    "FU-001": ("cap_u",), "FU-004": ("consumers",), "FU-012": ("ppm", "floor_s"), "IP-007": ("pushes", "trivial_commits"),
    "FU-019": ("ppm", "hours"),
}  # fmt: skip
"""Rule → thresholds that its sum over a window is held against, all of which are stricter the lower they are."""
ALWAYS: Final = -1
Governed = Sequence[tuple[int, str]]
"""From when on which agreement version applied to a holder, in order of time."""


class Lowering:
    """The thresholds of each parameter set, as far as sums are held against them."""

    def __init__(self, sets: Mapping[str, Any] | None = None, sets_of: Callable[[str], Mapping[str, Any]] | None = None) -> None:
        """Take the first bundle's parameter sets; without any nothing was ever lowered.

        `sets_of` gives those of a bundle that was put in force later, by its digest; without it no bundle lowers anything.
        """
        self._sets_of = sets_of
        self._revised: dict[str, Lowering] = {}
        self._limits = {
            name: {code: [rules.get(code, {}).get(one) for one in names] for code, names in SUMS.items()}
            for name, rules in (sets or {}).items()
        }

    def since(self, organisation: str, governed: Governed, agreement: str, code: str) -> int:
        """Give the moment before which nothing counts towards a rule's threshold under an agreement; ALWAYS for none."""
        before = ""
        for moment, version in governed:
            if version == agreement:
                return moment if before and self._lower(organisation, before, agreement, code) else ALWAYS
            before = version
        return ALWAYS

    def since_revised(self, organisation: str, agreement: str, code: str, at: int, activations: Sequence[tuple[int, str]]) -> int:
        """Give the newest moment until `at` from which a revision set a rule's threshold lower; ALWAYS for none."""
        found, before = ALWAYS, self
        for moment, digest in activations if self._sets_of is not None else ():
            if moment > at:
                break
            after = self._revision(digest)
            if _stricter(before._of(organisation, agreement, code), after._of(organisation, agreement, code)):  # noqa: SLF001
                found = moment
            before = after
        return found

    def lowered_by(self, other: Lowering) -> list[str]:
        """Give the rules of which another revision sets a threshold lower, in any set that both have."""
        both = sorted(self._limits.keys() & other._limits.keys())
        return [code for code in SUMS if any(_stricter(self._limits[name][code], other._limits[name][code]) for name in both)]

    def _revision(self, digest: str) -> Lowering:
        known = self._revised.get(digest)
        if known is None and self._sets_of is not None:
            known = self._revised[digest] = Lowering(self._sets_of(digest))
        return known or self

    def _lower(self, organisation: str, before: str, after: str, code: str) -> bool:
        return _stricter(self._of(organisation, before, code), self._of(organisation, after, code))

    def _of(self, organisation: str, agreement: str, code: str) -> list[Any]:
        for name in (f"{organisation}/{agreement}", f"{organisation}/default", "default"):
            if name in self._limits:
                return self._limits[name][code]
        return [None] * len(SUMS[code])

    def told_apart(self) -> list[tuple[str, str, str]]:
        """Give (rule, set, set) where the second is lower than the first: what the folding depends on."""
        names = sorted(self._limits)
        return [
            (code, a, b) for code in SUMS for a in names for b in names if _stricter(self._limits[a][code], self._limits[b][code])
        ]


def _stricter(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Whether any threshold is lower than it was."""
    return any(x is not None and y is not None and y < x for x, y in zip(old, new, strict=True))


NEVER: Final = Lowering()
