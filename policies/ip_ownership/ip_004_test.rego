package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_004_forked := {{"code": "IP-004", "evidence": {"to_owner": "jdoe", "repo": "github:4001"}}}

sanctioned := {{"code": "IP-004", "guard": "fork", "by": {"ap-31"}}}

# A private repository of ours forked to a person, the fork approved. Each case: what changes, breach, excuse.
ip_004_cases := {
	"approved": [{}, ip_004_forked, sanctioned],
	"not approved": [{"/facts/approvals": []}, ip_004_forked, set()],
	"the approval begins an instant later": [{"/facts/approvals/0/from": 1790000000000001}, ip_004_forked, set()],
	"public": [{"/facts/was_private": false, "/facts/approvals": []}, set(), set()],
	"never ours": [{"/facts/in_org": false, "/facts/approvals": []}, set(), set()],
	"to an organisation": [{"/event/to_owner_kind": "organisation", "/facts/approvals": []}, set(), set()],
	"within the organisation": [{"/event/to_in_org": true, "/facts/approvals": []}, set(), set()],
	"not a fork": [{"/event/type": "compute.repository.visibility_changed.v1", "/facts/approvals": []}, set(), set()],
}

test_ip_004[case] if {
	some case, [changes, breach, excuse] in ip_004_cases
	fork := {"/event/type": "compute.repository.forked.v1", "/facts/approvals/0/kind": "fork"}
	doc := testing.with_facts("repository", {})
	forked := json.patch(json.patch(doc, patch(fork)), patch(changes))
	testing.only("IP-004", ip_ownership.breach) == breach with input as forked
	testing.only("IP-004", ip_ownership.excuse) == excuse with input as forked
}

patch(changes) := [{"op": "replace", "path": path, "value": value} | some path, value in changes]

# What isn't known is a path that isn't there. Each: the path, breach, excuse.
test_ip_004_unknown[path] if {
	some path, [breach, excuse] in {
		"/facts/was_private": [set(), sanctioned],
		"/facts/in_org": [set(), sanctioned],
		"/event/to_owner_kind": [set(), sanctioned],
		"/event/to_in_org": [set(), sanctioned],
		"/facts/approvals": [ip_004_forked, set()],
	}
	fork := {"/event/type": "compute.repository.forked.v1", "/facts/approvals/0/kind": "fork"}
	doc := testing.without(testing.with_facts("repository", fork), path)
	testing.only("IP-004", ip_ownership.breach) == breach with input as doc
	testing.only("IP-004", ip_ownership.excuse) == excuse with input as doc
}
