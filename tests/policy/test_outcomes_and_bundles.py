"""From the rules to outcomes, and bundles, on the real OPA and the shipped rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.domain.errors import PolicyError
from engine.policy.bundle import Bundle, from_bytes, load_bundle
from engine.policy.opa_child import OpaChild
from engine.policy.outcomes import outcomes

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.needs_opa


@pytest.fixture(scope="module")
def bundle(opa_binary: str) -> Bundle:
    """The shipped policies."""
    return load_bundle(ROOT / "policies", Path(opa_binary))


@pytest.fixture(scope="module")
def evaluator(bundle: Bundle, opa_binary: str) -> Iterator[OpaChild]:
    """A child OPA with them."""
    child = OpaChild(bundle, Path(opa_binary), batch=50)
    yield child
    child.close()


def usage(number: int, total: int) -> bytes:
    """An input of usage with a sum."""
    document = json.loads((ROOT / "policies/fixtures.json").read_text())["fixtures"]["usage"]
    document["event"]["id"] = f"test {number}"
    document["facts"]["use"]["ccu_30d_u"] = total
    return json.dumps(document).encode()


def test_a_breach_reaches_its_outcome_with_evidence(evaluator: OpaChild, bundle: Bundle) -> None:
    """Over cap and uplift is a violation of FU-001 alone."""
    body = usage(1, 1_200_000_001)
    document = json.loads(body)
    (answer,) = evaluator.evaluate([body])
    rules = bundle.catalogue.for_type(document["event"]["type"])
    found = {o.code: o for o in outcomes(rules, document, answer) if o.outcome not in ("pass", "not-applicable")}
    assert list(found) == ["FU-001"]
    assert found["FU-001"].outcome == "violation"
    assert found["FU-001"].evidence == {"sum_u": 1_200_000_001, "cap_u": 1_000_000_000}


def test_a_missing_fact_is_indeterminate_and_names_itself(evaluator: OpaChild, bundle: Bundle) -> None:
    """Never a pass, never an accusation."""
    document = json.loads(usage(1, 0))
    del document["facts"]["use"]["ccu_30d_u"]
    document["unknown"] = {"facts.use.ccu_30d_u": "no rate"}
    (answer,) = evaluator.evaluate([json.dumps(document).encode()])
    rules = bundle.catalogue.for_type(document["event"]["type"])
    (outcome,) = [o for o in outcomes(rules, document, answer) if o.outcome not in ("pass", "not-applicable")]
    assert (outcome.code, outcome.outcome, outcome.missing) == (
        "FU-001",
        "indeterminate",
        {"facts.use.ccu_30d_u": "no rate"},
    )


def test_a_bundle_is_named_by_its_content_and_survives_the_store(bundle: Bundle) -> None:
    """And a stored one that was changed is refused."""
    assert from_bytes(bundle.to_bytes()) == bundle
    with pytest.raises(PolicyError, match="isn't what its name says"):
        from_bytes(bundle.to_bytes().replace(b"breach", b"broach", 1))


def test_a_missing_policy_folder_is_one_clear_error(tmp_path: Path, opa_binary: str) -> None:
    """It says which folder and what it needs."""
    with pytest.raises(PolicyError, match="no policy folder"):
        load_bundle(tmp_path / "none", Path(opa_binary))
