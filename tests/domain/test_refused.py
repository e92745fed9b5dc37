"""What no types can say is refused by a rule with a name; what an organisation counts in its own units is not."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.errors import Refusal
from tests.domain.make import event

GRANT = {"grant_id": "G1", "holder": "p-1", "quantity": "10"}
TWO_THIRDS = {"segments": [{"occurrences": 2, "numerator": 1, "denominator": 3}]}

REFUSED: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a negative grant": ("grant.issued", GRANT | {"quantity": "-1"}, "no-quantity", "data.quantity"),
    "a grant beyond counting": ("grant.issued", GRANT | {"quantity": "1" + "0" * 20}, "absurd-quantity", "data.quantity"),
    "a grant of nothing": ("grant.issued", GRANT | {"quantity": "0"}, "no-quantity", "data.quantity"),
    "a misspelt unit": ("grant.issued", GRANT | {"unit": "GPUh"}, "unknown-unit", "data.unit"),
    "vesting that doesn't add up": (
        "grant.issued", GRANT | {"vesting": "scheduled", "schedule": TWO_THIRDS}, "vesting-sum", "data.schedule"
    ),
    "a schedule that isn't followed": ("grant.issued", GRANT | {"schedule": TWO_THIRDS}, "vesting-terms", "data.schedule"),
    "an expiry before the start": (
        "grant.issued", GRANT | {"expires_at": "2025-01-01"}, "dates-out-of-order", "data.expires_at"
    ),
    "a rollover of less than nothing": (
        "grant.issued", GRANT | {"rollover_min": "-2", "rollover_max": "-1"}, "negative-quantity", "data.rollover_min"
    ),
    "a transfer to nobody": ("grant.transferred", {"grant_id": "G1", "holder": "p-1"}, "transfer-to-nobody", "data.to"),
    "a transfer to an empty name": (
        "grant.transferred", {"grant_id": "G1", "holder": "p-1", "to": ""}, "transfer-to-nobody", "data.to"
    ),
    "a transfer to oneself": (
        "grant.transferred", {"grant_id": "G1", "holder": "p-1", "to": "p-1"}, "transfer-to-oneself", "data.to"
    ),
    "a negative forfeiture": (
        "grant.forfeited", {"grant_id": "G1", "holder": "p-1", "quantity": "-5"}, "no-quantity", "data.quantity"
    ),
    "negative usage": (
        "usage.inference", {"person": "p-1", "quantity": "-1"}, "negative-quantity", "data.quantity"
    ),
    "a trillion tokens and one": (
        "usage.inference", {"person": "p-1", "input_tokens": 10**12 + 1}, "absurd-quantity", "data.input_tokens"
    ),
    "negative GPU time": ("usage.gpu", {"person": "p-1", "gpu_seconds": "-1"}, "negative-quantity", "data.gpu_seconds"),
    "usage that began after it was metered": (
        "usage.gpu", {"person": "p-1", "started_at": "2026-02-01"}, "dates-out-of-order", "data.started_at"
    ),
    "usage of nobody": ("usage.gpu", {}, "names-nobody", "data"),
    "a negative price": ("price.published", {"price": "-1"}, "negative-quantity", "data.price"),
    "a rate per nothing": (
        "rate.published", {"meter": "gpu_seconds", "units": "1", "per": "0"}, "no-quantity", "data.per"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused_by_a_named_rule(name: str) -> None:
    """The code is what programs count by; the field says where to look."""
    verb, data, code, field = REFUSED[name]
    with pytest.raises(Refusal) as refused:
        event(verb, "2026-01-01", **data)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert refused.value.do


def test_the_unit_that_was_meant_is_named() -> None:
    """And how to write one of one's own."""
    with pytest.raises(Refusal, match="Did you mean GPU-h"):
        event("grant.issued", "2026-01-01", **GRANT | {"unit": "GPUh"})
    with pytest.raises(Refusal, match="as x-NAME"):
        event("grant.issued", "2026-01-01", **GRANT | {"unit": "zorkmid"})
    assert event("grant.issued", "2026-01-01", **GRANT | {"unit": "x-zorkmid"}).data.unit == "x-zorkmid"
