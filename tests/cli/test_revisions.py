"""A revision's way into force by commands: signed, backtested, approved, activated; refused where one of these lacks."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from engine.store.opening import open_store
from tests.cli.conftest import Run, write
from tests.domain.make import event

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.needs_opa
PEOPLE = ("--author", "jana", "--approver", "counsel", "--organisation", "acme")
BEFORE = (
    event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="5000", vesting="immediate"),
    event("credential.created", "2026-01-01", credential="c", owner="p-1"),
    event("usage.inference", "2026-02-01", credential="c", quantity="500"),
)
LATE = event("usage.inference", "2026-02-10", credential="c", quantity="150")


def keys(folder: Path, name: str) -> Path:
    """Make a pair of keys: NAME.pem and NAME.pub."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.pem").write_bytes(pem)
    (folder / f"{name}.pub").write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return folder / f"{name}.pem"


def policies(folder: Path, name: str, cap_ccu: int) -> Path:
    """Copy the shipped policies with another cap."""
    shutil.copytree(ROOT / "policies", folder / name)
    file = folder / name / "params.json"
    params = json.loads(file.read_text())
    params["params"]["default"]["FU-001"]["cap_u"] = cap_ccu * 1_000_000
    file.write_text(json.dumps(params))
    return folder / name


def said(run: Run, *arguments: object) -> Any:
    """Run a command and give its JSON document."""
    result = run("--format", "json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_revision_is_activated_by_commands_and_a_late_event_is_judged_by_the_former_one(covenant: Run, folder: Path) -> None:
    """Backtest, activate, take in a late event: the former text judges it, and `explain` shows both."""
    said(covenant, "ingest", write(folder / "before.jsonl", BEFORE))
    stricter = policies(folder, "stricter", 400)
    report = said(covenant, "backtest", stricter)
    assert report["opened"] == 1
    (folder / "backtest.json").write_text(json.dumps(report))
    without = covenant("policy", "activate", stricter, *PEOPLE)
    assert (without.exit_code, "names no backtest" in without.stderr) == (1, True)
    alone = covenant("policy", "activate", stricter, "--author", "a", "--approver", "a", "--organisation", "acme")
    assert "data.approver is the author" in alone.stderr
    activated = said(covenant, "policy", "activate", stricter, *PEOPLE, "--backtest", folder / "backtest.json")
    said(covenant, "ingest", write(folder / "late.jsonl", [LATE]))
    listed = [json.loads(line) for line in covenant("--format", "json", "policy", "revisions").stdout.splitlines()]
    assert [(row["act"], row["author"], row["approver"]) for row in listed] == [
        ("first", "", ""), ("activated", "jana", "counsel"),
    ]  # fmt: skip
    with closing(open_store("sqlite:///.covenant/covenant.db")) as store, store.reading() as connection:
        (decision, bundle) = connection.exec_driver_sql(
            "SELECT id, bundle FROM decision ORDER BY lane, version DESC LIMIT 1"
        ).one()
    assert bundle == listed[0]["bundle"] != activated["bundle"]
    explained = said(covenant, "explain", decision)
    assert explained["later"]["after"] == activated["bundle"]
    words = covenant("explain", decision).stdout
    assert "Another text is in force from" in words
    assert "default: FU-001.cap_u: 1,000,000,000 became 400,000,000" in words
    assert said(covenant, "replay", "--check")["differences"] == 0


def test_only_what_is_signed_by_a_named_key_and_newer_is_put_in_force(
    covenant: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unsigned, signed by another key, changed after it was signed, an older number: each refused with a sentence."""
    ours, others = keys(folder, "ours"), keys(folder, "others")
    first = policies(folder, "first", 1000)
    said(covenant, "policy", "sign", first, "--key", ours, "--number", 5)
    monkeypatch.setenv("COVENANT_POLICY_KEYS", str(folder / "ours.pub"))
    said(covenant, "--policies", first, "ingest", write(folder / "before.jsonl", BEFORE))
    stricter = policies(folder, "stricter", 400)
    (folder / "backtest.json").write_text(json.dumps(said(covenant, "backtest", stricter)))
    activate = ("policy", "activate", stricter, *PEOPLE, "--backtest", folder / "backtest.json")

    def refused() -> str:
        result = covenant(*activate)
        assert result.exit_code == 1
        return result.stderr

    assert "isn't signed" in refused()
    said(covenant, "policy", "sign", stricter, "--key", others, "--number", 6)
    assert "is signed by another key" in refused()
    said(covenant, "policy", "sign", stricter, "--key", ours, "--number", 5)
    assert "is an older revision than the active one" in refused()
    signature = stricter / "signature.json"
    signature.write_text(json.dumps(json.loads(signature.read_text()) | {"number": 6}))
    assert "The signature of bundle" in refused()
    said(covenant, "policy", "sign", stricter, "--key", ours, "--number", 6)
    assert covenant(*activate).exit_code == 0
    (stricter / "fair_use" / "fu_001.rego").open("a").write("\n# another text\n")
    assert "was changed after it was signed" in covenant("policy", "shadow", stricter, *PEOPLE[:2], *PEOPLE[4:]).stderr
