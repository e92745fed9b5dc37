"""One example of every event type, in the canonical form of the wire: for documents, schemas and whoever writes a source. Pure.

They are of one small company, so that names recur as they do in life. What a class takes by default isn't written, since
the canonical form leaves it out.
"""

from __future__ import annotations

from typing import Any, Final

ORGANISATION: Final = "acme"
SCHEMA_BASE: Final = "urn:covenant:schema:"

_SOURCES: Final = {
    "grant": "https://equity.acme.example", "pool": "https://equity.acme.example",
    "usage": "https://gateway.acme.example", "credential": "https://keys.acme.example",
    "job": "slurm://cluster-a.acme.example", "repository": "https://github.com",
    "person": "https://hr.acme.example", "agreement": "https://contracts.acme.example",
    "disclosure": "https://legal.acme.example", "approval": "https://legal.acme.example",
    "determination": "https://legal.acme.example", "alias": "https://directory.acme.example",
    "review": "covenant/console", "policy": "covenant/policies",
    "organisation": "https://settings.acme.example", "price": "https://finance.acme.example",
    "rate": "https://finance.acme.example", "rule": "https://legal.acme.example", "period": "https://finance.acme.example",
    "feed": "https://hr.acme.example", "clock": "covenant/clock",
}  # fmt: skip
"""Who tells of what; the engine itself of what isn't here."""


def example(name: str) -> dict[str, Any]:
    """Give the example of a type by its full name, as a CloudEvents object in the form that `codec.write_event` writes."""
    entity, verb = name.removeprefix("compute.").rpartition(".v")[0].split(".")
    time, data = _EXAMPLES[f"{entity}.{verb}"]
    return {
        "specversion": "1.0",
        "id": f"{entity}-{verb}-1",
        "source": _SOURCES.get(entity, "covenant"),
        "type": name,
        "time": time,
        "organisation": ORGANISATION,
        "datacontenttype": "application/json",
        "dataschema": SCHEMA_BASE + name,
        "data": data,
    }


_GRANT: Final = {
    "grant_id": "G-2025-017", "holder": "p-17", "quantity": "12000", "unit": "GPU-h", "vesting": "scheduled",
    "schedule": {
        "segments": [{"occurrences": 4, "every": 3, "unit": "months", "numerator": 1, "denominator": 4, "cliff": 1}],
        "starts_at": "2025-07-01T00:00:00Z", "on_event": True, "allocation": "cumulative_round_down",
    },
    "priority": 10, "effective_at": "2025-07-01T00:00:00Z", "expires_at": "2026-07-01T00:00:00Z",
    "filters": {"models": ["gpt-5", "claude-opus-4"], "providers": ["openai", "anthropic"]},
    "pool": "plan-2025", "personal": False, "purpose": "Signing bonus, paid in compute.", "ip_terms": "holder",
    "legal_character": "pay", "transferable": True, "agreement_version": "2025-1", "termination_window_days": 30,
    "termination_windows": {"death": 365, "retirement": 90}, "recurrence": "yearly", "rollover_min": "100",
    "rollover_max": "1500.5",
}  # fmt: skip
_OF: Final = {"grant_id": "G-2025-017", "holder": "p-17"}
_USAGE: Final = {
    "person": "p-17", "credential": "sha256:9f86d081", "user": {"kind": "unix_user", "value": "cluster-a/ada"},
    "consumer": {"kind": "email", "value": "ada@acme.example"}, "grant_id": "G-2025-017", "state": "provisional",
    "quantity": "1.25", "unit": "GPU-h", "provider": "openai", "model": "gpt-5", "started_at": "2025-09-05T10:00:00Z",
    "session": "s-4711", "job_id": "90210", "repository": "github.com#17273051", "branch": "main",
    "artifacts": ["sha256:2c26b46b"], "region": "eu-west-1", "network": "AS64500", "workload": "training",
    "cost": "3.125", "currency": "USD", "free": True, "interactive": False,
}  # fmt: skip
_REPOSITORY: Final = {
    "repository": "github.com#17273051", "name": "github.com/acme/solver", "owner": "github.com/acme",
    "owner_kind": "organisation", "private": True, "actor": {"kind": "login", "value": "github.com/ada"},
    "known_as": "github.com/acme/solver",
}  # fmt: skip
_FINDING: Final = {
    "violation": "863853a806c3658554c7a7d8b77c5ea7", "aggregate_kind": "person", "aggregate_id": "p-17",
    "actor": "counsel-2", "role": "counsel", "seen": "5f0c7d9e1b2a4c6d8e0f1a3b5c7d9e1f",
}  # fmt: skip
_BUNDLE: Final = "3fd1b9c46c0b3f6f1a6b2ad6a8f6a9f0c7a1de53b1a2c4d5e6f708192a3b4c5d"
_JOB: Final = {
    "job_id": "90210", "person": "p-17", "user": {"kind": "unix_user", "value": "cluster-a/ada"}, "cluster": "cluster-a",
}  # fmt: skip
_ON: Final = {"kind": "repository", "id": "github.com#17273051"}

# fmt: off
_EXAMPLES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "grant.offered": ("2025-06-01T09:00:00Z", _OF | {"quantity": "12000", "unit": "GPU-h", "until": "2025-06-15T00:00:00Z"}),
    "grant.issued": ("2025-06-20T09:00:00Z", _GRANT),
    "grant.accepted": ("2025-06-21T14:30:00Z", _OF | {"agreement_version": "2025-1"}),
    "grant.vesting_started": ("2025-07-03T08:00:00Z", _OF | {"starts_at": "2025-07-01T00:00:00Z"}),
    "grant.vested": ("2025-10-01T00:00:00Z", _OF | {"quantity": "3000"}),
    "grant.accelerated": ("2025-11-02T00:00:00Z", _OF | {"quantity": "3000", "reason": "Change of control."}),
    "grant.amended": ("2025-11-10T12:00:00Z", _OF | {
        "expires_at": "2026-12-31T00:00:00Z", "filters": {"models": ["gpt-5"], "providers": ["openai"]}, "priority": 5,
        "termination_window_days": 60, "agreement_version": "2025-2", "ip_terms": "shared", "reason": "Agreed at promotion.",
    }),
    "grant.suspended": ("2025-11-12T00:00:00Z", _OF | {"reason": "Under investigation."}),
    "grant.resumed": ("2025-11-20T00:00:00Z", _OF),
    "grant.transfer_requested": ("2025-12-01T10:00:00Z", _OF | {"to": "p-23", "quantity": "500"}),
    "grant.transferred": ("2025-12-05T10:00:00Z", _OF | {"to": "p-23"}),
    "grant.rolled_over": ("2026-07-01T00:00:00Z", _OF | {"to_grant": "G-2026-017", "expires_at": "2027-07-01T00:00:00Z"}),
    "grant.revoked": ("2025-12-10T10:00:00Z", _OF | {"reason": "Terminated for cause."}),
    "grant.forfeited": ("2025-12-10T10:00:00Z", _OF | {"quantity": "6000", "reason": "Unvested at the end of employment."}),
    "grant.expired": ("2026-07-01T00:00:00Z", _OF),
    "grant.voided": ("2025-06-22T09:00:00Z", _OF | {"reason": "Issued twice by mistake."}),
    "grant.clawed_back": ("2026-01-15T00:00:00Z", _OF | {
        "amount": "1840.5", "currency": "EUR", "reason": "Used after the end of employment.",
    }),
    "grant.assigned": ("2025-06-20T09:00:00Z", {
        "alias": {"kind": "grant", "value": "G-2025-017"}, "target": {"kind": "person", "id": "p-17"}, "how": "transferred",
    }),
    "repository.named": ("2025-06-20T09:00:00Z", {
        "alias": {"kind": "repository", "value": "github.com/acme/solver"}, "repository": "github.com#17273051",
    }),
    "grant.received": ("2025-12-05T10:00:00Z", {
        "to": "p-23", "terms": _GRANT, "vested": "2100.75", "unvested": "6000", "vesting_since": "2025-07-01T00:00:00Z",
        "suspended": True,
    }),
    "pool.planned": ("2025-01-01T00:00:00Z", {
        "pool": "plan-2025", "quantity": "250000", "unit": "GPU-h", "gpus": 64, "until": "2026-01-01T00:00:00Z",
    }),
    "pool.resized": ("2025-08-01T00:00:00Z", {"pool": "plan-2025", "quantity": "300000", "gpus": 80}),
    "pool.committed": ("2025-06-20T09:00:00Z", {
        "pool": "plan-2025", "grant_id": "G-2025-017", "holder": "p-17", "quantity": "12000", "unit": "GPU-h",
    }),
    "pool.drawn": ("2025-09-05T11:00:00Z", {
        "pool": "plan-2025", "holder": "p-17", "hour": "2025-09-05T10:00:00Z", "provider": "openai", "units": "12.5",
        "gpu_seconds": "7200", "unit": "GPU-h",
    }),
    "usage.inference": ("2025-09-05T10:00:04.250000Z", _USAGE | {
        "operation": "text_completion", "input_tokens": 1200, "cached_tokens": 800, "output_tokens": 350,
        "reasoning_tokens": 120,
    }),
    "usage.gpu": ("2025-09-05T12:00:00Z", _USAGE | {
        "provider": "cluster-a", "model": "llama-3-70b", "gpu_seconds": "28800", "gpus": 4, "gpu_model": "H100",
        "cluster": "cluster-a", "utilisation_ppm": 815000, "attribution": "node",
    }),
    "usage.charged": ("2025-10-01T00:00:00Z", _USAGE | {
        "started_at": "2025-09-01T00:00:00Z", "category": "adjustment", "charge_class": "correction", "sku": "GPU-H100-80",
        "service": "Compute Engine", "consumed": "720", "consumed_unit": "Hours", "billed_cost": "2160",
    }),
    "usage.corrected": ("2025-09-06T09:00:00Z", {
        "usage": {"source": "https://gateway.acme.example", "id": "usage-inference-1"},
        "occurred_at": "2025-09-05T10:00:04.250000Z", "quantity": "0.75", "state": "failed", "person": "p-17",
        "credential": "sha256:9f86d081", "user": {"kind": "unix_user", "value": "cluster-a/ada"}, "reason": "metered-twice",
    }),
    "job.started": ("2025-09-05T10:00:00Z", _JOB | {"limit_seconds": 86400}),
    "job.heartbeat": ("2025-09-05T11:00:00Z", _JOB),
    "job.ended": ("2025-09-05T12:00:00Z", _JOB | {"outcome": "completed"}),
    "credential.created": ("2025-06-25T08:00:00Z", {"credential": "sha256:9f86d081", "owner": "p-17", "kind": "ci"}),
    "credential.seen": ("2025-09-05T10:00:00Z", {"credential": "sha256:9f86d081", "network": "AS64500"}),
    "credential.revoked": ("2025-12-10T10:05:00Z", {"credential": "sha256:9f86d081"}),
    "alias.linked": ("2025-06-25T08:05:00Z", {
        "alias": {"kind": "login", "value": "github.com/ada"}, "target": {"kind": "person", "id": "p-17"}, "verified": True,
        "valid_from": "2025-06-01T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z",
    }),
    "alias.unlinked": ("2025-12-11T08:00:00Z", {
        "alias": {"kind": "login", "value": "github.com/ada"}, "valid_until": "2025-12-10T00:00:00Z",
    }),
    "identity.asked": ("2025-09-06T15:00:00Z", {
        "alias": {"kind": "login", "value": "github.com/ada"}, "asker_kind": "repository", "asker_id": "github.com#17273051",
        "cause": "https://github.com/repository-forked-1", "in_org": True,
    }),
    "identity.resolved": ("2025-09-06T15:00:00Z", {
        "asker_kind": "repository", "asker_id": "github.com#17273051", "cause": "https://github.com/repository-forked-1",
        "person": "p-17",
    }),
    "contribution.attributed": ("2025-09-06T15:00:00Z", {
        "actor": {"kind": "login", "value": "github.com/ada"}, "action": "pushed", "repository": "github.com#17273051",
        "name": "github.com/acme/solver", "in_org": True, "private": True, "commits": 3, "authors": ["ada@acme.example"],
        "committers": ["ada@acme.example"], "coauthors": ["grace@acme.example"], "branch": "main", "session": "s-4711",
        "job_id": "90210", "artifacts": ["sha256:2c26b46b"],
    }),
    "contribution.reviewed": ("2025-11-10T09:00:00Z", {
        "person": "p-17", "repository": "github.com#17273051", "name": "github.com/acme/solver", "in_org": True, "private": True,
    }),
    "alias.held": ("2025-06-16T09:00:00Z", {
        "alias": {"kind": "email", "value": "ada@acme.example"}, "person": "p-17", "held": True, "until": "2025-12-10T00:00:00Z",
    }),
    "repository.exposed": ("2025-09-06T00:00:00Z", {
        "repository": "github.com#17273051", "holder": "p-17", "day": "2025-09-05T00:00:00Z", "ip_terms": "company",
        "units": "42.5",
    }),
    "deadline.reached": ("2025-09-06T10:00:00Z", {
        "kind": "usage_uncovered", "about": "usage-inference-1", "of_kind": "person", "of_id": "p-17",
        "since": "2025-09-05T10:00:00Z", "quantity": "1.25", "detail": "sha256:9f86d081",
    }),
    "repository.created": ("2025-06-30T09:00:00Z", _REPOSITORY),
    "repository.pushed": ("2025-09-05T18:00:00Z", _REPOSITORY | {
        "ref": "refs/heads/main", "commits": 3, "authors": ["ada@acme.example"], "committers": ["ada@acme.example"],
        "coauthors": ["grace@acme.example"], "signed_off": 2, "ai_coauthored": 1,
        "session": "s-4711", "job_id": "90210", "artifacts": ["sha256:2c26b46b"],
    }),
    "repository.pull_request": ("2025-09-06T09:00:00Z", _REPOSITORY | {
        "number": 128, "action": "closed", "merged": True, "commits": 3, "head": "ada:faster",
    }),
    "repository.forked": ("2025-09-06T15:00:00Z", _REPOSITORY | {
        "to_owner": "github.com/ada", "to_owner_kind": "user", "to_repository": "github.com#88123004",
    }),
    "repository.visibility_changed": ("2025-09-07T10:00:00Z", _REPOSITORY | {"to": "internal"}),
    "repository.transferred": ("2025-09-08T10:00:00Z", _REPOSITORY | {
        "to_owner": "github.com/elsewhere", "to_owner_kind": "organisation",
    }),
    "repository.downloaded": ("2025-09-09T10:00:00Z", _REPOSITORY | {"how": "clone"}),
    "repository.released": ("2025-09-10T10:00:00Z", _REPOSITORY | {"tag": "v2.0.0-rc.1", "prerelease": True}),
    "repository.licence_changed": ("2025-09-11T10:00:00Z", _REPOSITORY | {"before": "Apache-2.0", "after": "none"}),
    "repository.member_changed": ("2025-09-12T10:00:00Z", _REPOSITORY | {
        "member": {"kind": "login", "value": "github.com/grace"}, "change": "removed", "permission": "write",
    }),
    "repository.archived": ("2025-09-13T10:00:00Z", _REPOSITORY | {"archived": False}),
    "repository.deleted": ("2025-09-14T10:00:00Z", _REPOSITORY),
    "repository.artifact_published": ("2025-09-10T10:05:00Z", _REPOSITORY | {
        "artifact": "sha256:2c26b46b", "registry": "ghcr.io",
    }),
    "repository.observed": ("2025-09-15T10:00:00Z", _REPOSITORY | {"kind": "issues.opened", "ref": "refs/heads/main"}),
    "person.hired": ("2025-06-15T00:00:00Z", {"person": "p-17", "jurisdiction": "US-CA"}),
    "person.relationship_changed": ("2025-10-01T00:00:00Z", {"person": "p-17", "relationship": "contractor"}),
    "person.on_leave": ("2025-10-05T00:00:00Z", {"person": "p-17", "kind": "parental", "until": "2026-01-05T00:00:00Z"}),
    "person.jurisdiction_changed": ("2025-11-01T00:00:00Z", {"person": "p-17", "jurisdiction": "DE-BE"}),
    "person.travel_recorded": ("2025-11-05T00:00:00Z", {
        "person": "p-17", "country": "JP", "from": "2025-11-03T00:00:00Z", "until": "2025-11-14T00:00:00Z",
    }),
    "person.notice_given": ("2025-11-10T00:00:00Z", {"person": "p-17", "last_day": "2025-12-10T00:00:00Z"}),
    "person.handover_recorded": ("2025-11-12T00:00:00Z", {
        "person": "p-17", "until": "2025-12-10T00:00:00Z", "repository": "github.com#17273051",
    }),
    "person.terminated": ("2025-12-10T00:00:00Z", {"person": "p-17", "reason": "voluntary"}),
    "person.membership_recorded": ("2025-08-01T09:00:00Z", {
        "person": "p-17", "member_of": "github.com/rival", "basis": "declared", "until": "2026-08-01T00:00:00Z",
    }),
    "person.replied": ("2025-09-20T10:00:00Z", {
        "person": "p-17", "violation": "863853a806c3658554c7a7d8b77c5ea7", "text": "The launch was approved; see APR-88.",
    }),
    "agreement.sent": ("2025-06-15T09:00:00Z", {
        "person": "p-17", "kind": "ip_assignment", "version": "2025-1", "due": "2025-07-15T00:00:00Z",
    }),
    "agreement.reminded": ("2025-07-01T09:00:00Z", {"person": "p-17", "kind": "ip_assignment", "version": "2025-1"}),
    "agreement.signed": ("2025-07-03T09:00:00Z", {
        "person": "p-17", "kind": "ip_assignment", "version": "2025-1", "signed_on": "2025-07-02T00:00:00Z",
        "notice_given": True,
    }),
    "agreement.attested": ("2026-07-01T09:00:00Z", {"person": "p-17", "kind": "attestation", "version": "2026"}),
    "agreement.superseded": ("2026-01-01T00:00:00Z", {
        "person": "p-17", "kind": "acceptable_use", "version": "2025-1", "by": "2026-1",
    }),
    "agreement.invalidated": ("2025-08-01T09:00:00Z", {
        "person": "p-17", "kind": "ip_assignment", "version": "2025-1", "who": "counsel-2", "why": "Signed by somebody else.",
    }),
    "disclosure.submitted": ("2025-06-18T10:00:00Z", {
        "person": "p-17", "disclosure_id": "D-9", "kind": "prior_invention", "repository": "github.com#88123004",
        "made_on": "2024-03-01T00:00:00Z", "text": "A solver for sparse systems, written before I joined.",
    }),
    "disclosure.questioned": ("2025-06-22T10:00:00Z", {"person": "p-17", "disclosure_id": "D-9", "text": "Is it public?"}),
    "disclosure.answered": ("2025-06-24T10:00:00Z", {"person": "p-17", "disclosure_id": "D-9", "text": "Since 2024."}),
    "disclosure.decided": ("2025-06-30T10:00:00Z", {
        "person": "p-17", "disclosure_id": "D-9", "decision": "accepted", "decided_by": "counsel-2", "reason": "It predates us.",
    }),
    "approval.granted": ("2025-09-01T10:00:00Z", {
        "about": {"kind": "person", "id": "p-17"}, "approval_id": "APR-88", "kind": "cap_uplift", "approver": "p-2",
        "from": "2025-09-01T00:00:00Z", "until": "2025-10-01T00:00:00Z", "amount": "500", "scope": "G-2025-017",
        "reason": "Launch of version 2.",
    }),
    "approval.refused": ("2025-09-07T09:00:00Z", {
        "about": _ON, "approval_id": "APR-91", "kind": "release", "approver": "p-2", "reason": "Not before the patent is filed.",
    }),
    "approval.revoked": ("2025-09-20T10:00:00Z", {
        "about": {"kind": "person", "id": "p-17"}, "approval_id": "APR-88", "reason": "The launch was put off.",
    }),
    "determination.recorded": ("2025-09-25T10:00:00Z", {
        "about": _ON, "determination_id": "DET-4", "question": "ownership", "answer": "company", "decided_by": "counsel-2",
        "repository": "github.com#17273051", "workload": "training", "from": "2025-06-30T00:00:00Z",
        "reason": "Made with company-terms compute.",
    }),
    "organisation.configured": ("2025-01-01T08:00:00Z", {
        "effective_from": "2025-01-01T00:00:00Z", "owners": ["github.com/acme", "github.com/acme-labs"],
    }),
    "price.published": ("2025-09-10T08:00:00Z", {
        "effective_from": "2025-09-15T00:00:00Z", "price": "0.9", "unit": "GPU-h", "currency": "EUR",
    }),
    "rule.enabled": ("2025-06-01T09:00:00Z", {
        "effective_from": "2025-07-01T00:00:00Z", "record": "LB-2025-3", "rules": ["IP-007", "IP-011"],
        "jurisdictions": ["DE", "NL"],
        "legal_basis": "GDPR Art. 6(1)(f), balancing test of 2025-05-20", "works_agreement": "BV-2025-07",
        "until": "2027-07-01T00:00:00Z",
    }),
    "rate.published": ("2025-06-25T08:00:00Z", {
        "effective_from": "2025-07-01T00:00:00Z", "meter": "gpu_seconds", "units": "3", "per": "3600", "unit": "GPU-h",
        "model": "llama-3-70b",
    }),
    "period.closed": ("2025-10-05T08:00:00Z", {
        "effective_from": "2025-10-05T00:00:00Z", "period": "2025-Q3", "from": "2025-07-01T00:00:00Z",
        "until": "2025-10-01T00:00:00Z",
    }),
    "feed.completed_through": ("2025-09-05T06:00:00Z", {"feed": "people", "through": "2025-09-05T00:00:00Z"}),
    "policy.activated": ("2025-09-01T08:00:00Z", {
        "effective_from": "2025-09-02T00:00:00Z", "bundle": _BUNDLE, "author": "p-2", "approver": "counsel-2",
        "backtest": "b1946ac92492d2347c6235b4d2611184", "opens": 31, "confirmed": 31,
    }),
    "policy.held": ("2025-09-12T08:00:00Z", {"rule": "FU-009", "opened": 412, "limit": 50}),
    "policy.released": ("2025-09-12T14:30:00Z", {
        "rule": "FU-009", "by": "counsel-2", "why": "The feed of grants had been cut off; it is complete again.",
    }),
    "policy.shadowed": ("2025-08-15T08:00:00Z", {
        "effective_from": "2025-08-16T00:00:00Z", "bundle": _BUNDLE, "author": "p-2", "until": "2025-09-01T00:00:00Z",
    }),
    "policy.retired": ("2025-09-01T08:00:00Z", {
        "effective_from": "2025-09-01T00:00:00Z", "bundle": _BUNDLE, "author": "p-2",
    }),
    "clock.ticked": ("2025-09-05T13:00:00Z", {}),
    "review.acknowledged": ("2025-09-18T09:00:00Z", _FINDING),
    "review.commented": ("2025-09-18T09:10:00Z", _FINDING | {"text": "The launch calendar explains half of it."}),
    "review.assigned": ("2025-09-18T09:15:00Z", _FINDING | {"to": "counsel-3"}),
    "review.escalated": ("2025-09-21T09:00:00Z", _FINDING | {"to": "general-counsel", "reason": "A grant of a director."}),
    "review.waived": ("2025-09-22T09:00:00Z", _FINDING | {
        "until": "2025-12-31T00:00:00Z", "reason": "A raised cap is on its way.",
    }),
    "review.resolved": ("2025-10-02T09:00:00Z", _FINDING | {
        "outcome": "substantiated", "reason": "No approval was in force, and the holder says so.",
    }),
    "review.reopened": ("2025-10-09T09:00:00Z", _FINDING | {"reason": "A back-dated approval came in."}),
    "review.hold_placed": ("2025-10-10T09:00:00Z", _FINDING | {"matter": "M-2025-3"}),
    "review.hold_released": ("2026-04-10T09:00:00Z", _FINDING | {"matter": "M-2025-3"}),
}
# fmt: on
