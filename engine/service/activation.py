"""What an activation of policies is held to before it is taken in, whichever way it came: command or topic.

A bundle that the store keeps, signed where keys are named, newer than what is in force, backtested, approved by somebody
else than its author, from a date that isn't past; and where it would open more findings than a set number, the approver
has confirmed that number. What isn't so is refused with a reason, and the revision in force stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from engine.domain.errors import CovenantError, NotFound, PolicyError, Refusal
from engine.domain.events import Event
from engine.domain.events.reference import PolicyActivated, PolicyShadowed
from engine.domain.reference import Reference
from engine.domain.values import instant_text
from engine.policy.bundle import Bundle
from engine.policy.signing import Keys, verify

_ANEW: Final = "Make a new revision of it: a changed text, or a higher number in its signature."


class Conditions(msgspec.Struct, frozen=True):
    """What bundles are held to here."""

    bundle: Callable[[str], Bundle]
    """Gives a kept bundle by its digest; `NotFound` where there is none."""
    first: Bundle
    """In force from the beginning."""
    keys: Keys = {}
    confirm_over: int = 20
    """Findings an activation may open before its approver has to confirm their number."""

    def refusal(self, event: Event, reference: Reference) -> Refusal | None:
        """Say why an act on policies isn't taken in, given the reference data before it; None where it is."""
        data = event.data
        if not isinstance(data, PolicyActivated | PolicyShadowed):
            return None
        try:
            bundle = self._kept(data.bundle)
            if isinstance(data, PolicyActivated):
                self._newer(bundle, event, reference)
                self._approved(data, event)
        except Refusal as refusal:
            return refusal
        except CovenantError as error:
            return Refusal(error.message, error.do, code="not-activated", field="data.bundle")
        return None

    def _kept(self, digest: str) -> Bundle:
        try:
            bundle = self.bundle(digest)
        except NotFound as error:
            msg = f"The store keeps no bundle {digest[:12]}."
            raise PolicyError(msg, "`covenant policy activate DIR` and `covenant policy shadow DIR` keep it first.") from error
        verify(bundle.digest, bundle.signature, self.keys)
        first = self.first.windows
        changed = sorted(name for name, length in bundle.windows.items() if first.get(name) != length)
        if changed:
            was = ", ".join(f"{name}: {first.get(name)}" for name in changed)
            msg = f"The bundle {digest[:12]} folds with another {', '.join(changed)} than the one this store began with."
            do = (
                f"What the rules are asked, of a shadow too, is folded with one set of lengths. Put `facts` in its params.json "
                f"back to {was}; or take the events in anew, with `covenant --store sqlite:///NEW.db --policies DIR ingest FILE`."
            )
            raise PolicyError(msg, do)
        return bundle

    def _newer(self, bundle: Bundle, event: Event, reference: Reference) -> None:
        before = [self.first, *(self.bundle(digest) for _, digest in reference.activations(event.organisation))]
        if before[-1].digest == bundle.digest:
            msg = f"The bundle {bundle.digest[:12]} is the one that was put in force last."
            raise PolicyError(msg, "There is nothing to activate.")
        newest = max(_number(known) for known in before)
        signed = _number(bundle) >= 0
        if (signed and _number(bundle) <= newest) or (not signed and bundle.digest in {known.digest for known in before}):
            msg = f"The bundle {bundle.digest[:12]} is an older revision than the active one."
            raise PolicyError(msg, _ANEW)

    def _approved(self, data: PolicyActivated, event: Event) -> None:
        since = data.effective(event.time)
        if since < event.time:
            msg = f"data.effective_from is {instant_text(since)}, before the activation itself: what was lawful stays so."
            raise Refusal(msg, "Give a date from now on.", code="not-activated", field="data.effective_from")
        if not data.backtest or data.opens is None:
            msg = "The activation names no backtest: nobody has seen what it would find."
            do = "Run `covenant backtest DIR --format json > backtest.json`, and activate with --backtest backtest.json."
            raise Refusal(msg, do, code="not-activated", field="data.backtest")
        if data.opens > self.confirm_over and data.confirmed != data.opens:
            said = "no number is confirmed" if data.confirmed is None else f"{data.confirmed} was confirmed"
            msg = f"It would open {data.opens} findings, more than {self.confirm_over}, and {said}."
            raise Refusal(
                msg,
                f"Have the approver confirm the number: --confirm {data.opens}.",
                code="not-activated",
                field="data.confirmed",
            )


class Admission:
    """Acts on policies being taken in one after the other, each held to what was known before it."""

    def __init__(self, conditions: Conditions, before: Sequence[Event]) -> None:
        """Begin after the reference data that is known."""
        self._conditions = conditions
        self._events = [*before]

    def refuses(self, event: Event) -> Refusal | None:
        """Say why an event isn't taken in; None where it is, and counts from then on."""
        if isinstance(event.data, PolicyActivated | PolicyShadowed):
            refusal = self._conditions.refusal(event, Reference(self._events))
            if refusal is not None:
                return refusal
            self._events.append(event)
        return None


def _number(bundle: Bundle) -> int:
    return bundle.signature.number if bundle.signature is not None else -1
