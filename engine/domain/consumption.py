"""How many units a usage consumed: what its source says, else meters × rates in force when it occurred. Pure, exact."""

from __future__ import annotations

from engine.domain.events.usage import Usage, UsageGpu, UsageInference
from engine.domain.reference import Reference
from engine.domain.values import LIMIT, MICRO


def consumed(organisation: str, data: Usage, at: int, reference: Reference) -> tuple[int, str]:
    """Give micro-units, and why they are unknown (0 units then) where a rate is missing. Rounds half up once a meter."""
    if data.quantity is not None:
        return int(data.quantity), ""  # plain: facts are compared as numbers
    total = 0
    unit, model, rate_of = data.unit, data.model, reference.rate
    for meter, amount in _meters(data):
        if not amount:
            continue
        rate = rate_of(organisation, unit, meter, model, at)
        if rate is None and meter == "cached_tokens":
            rate = rate_of(organisation, unit, "input_tokens", model, at)
        if rate is None:
            return 0, f"no rate for {meter} of {model} in {unit} is published"
        units, per = rate
        total += (2 * amount * units + per) // (2 * per)
    if total > LIMIT:
        return 0, f"at the rates of {data.unit} it comes to more units than can be counted"
    return total, ""


def _meters(data: Usage) -> tuple[tuple[str, int], ...]:
    """Amounts in micro-meters, as a rate's `per` is."""
    if isinstance(data, UsageInference):
        fresh = data.input_tokens - data.cached_tokens
        return (
            ("input_tokens", fresh * MICRO),
            ("cached_tokens", data.cached_tokens * MICRO),
            ("output_tokens", data.output_tokens * MICRO),
        )
    if isinstance(data, UsageGpu):
        return (("gpu_seconds", int(data.gpu_seconds)),)
    return ()
