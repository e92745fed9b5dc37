package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_003_out := {{"code": "IP-003", "evidence": {"to_owner": "jdoe", "repo": "github:4001"}}}

divestiture := {{"code": "IP-003", "guard": "divestiture", "by": {"ap-31"}}}

# The fixture: a transfer out with a divestiture approved. Each case: what changes, breach, excuse.
ip_003_cases := {
	"approved": [{}, ip_003_out, divestiture],
	"not approved": [{"/facts/approvals": []}, ip_003_out, set()],
	"an approval of another kind": [{"/facts/approvals/0/kind": "fork"}, ip_003_out, set()],
	"the approval had ended": [{"/facts/approvals/0/until": 1790000000000000}, ip_003_out, set()],
	"within the organisation": [{"/event/to_in_org": true, "/facts/approvals": []}, set(), set()],
	"never ours": [{"/facts/in_org": false, "/facts/approvals": []}, set(), set()],
	"not a transfer": [{"/event/type": "compute.repository.forked.v1", "/facts/approvals": []}, set(), set()],
}

test_ip_003[case] if {
	some case, [changes, breach, excuse] in ip_003_cases
	doc := testing.with_facts("repository", changes)
	testing.only("IP-003", ip_ownership.breach) == breach with input as doc
	testing.only("IP-003", ip_ownership.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there. Each: the path, breach, excuse.
test_ip_003_unknown[path] if {
	some path, [breach, excuse] in {
		"/facts/in_org": [set(), divestiture],
		"/event/to_in_org": [set(), divestiture],
		"/facts/approvals": [ip_003_out, set()],
	}
	doc := testing.without(testing.with_facts("repository", {}), path)
	testing.only("IP-003", ip_ownership.breach) == breach with input as doc
	testing.only("IP-003", ip_ownership.excuse) == excuse with input as doc
}
