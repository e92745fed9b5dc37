package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_002_public := {{"code": "IP-002", "evidence": {"published_at": 1789999100000000, "repo": "github:4001"}}}

release := {{"code": "IP-002", "guard": "release", "by": {"ap-32"}}}

# The fixture: 15 minutes after a private repository of ours became public, its release approved. Each case: what changes, breach, excuse.
ip_002_cases := {
	"approved before": [{}, ip_002_public, release],
	"never approved": [{"/facts/approvals": []}, ip_002_public, set()],
	"approved at the last instant": [{"/facts/approvals/0/from": 1790000000000000}, ip_002_public, release],
	"approved an instant too late": [{"/facts/approvals/0/from": 1790000000000001}, ip_002_public, set()],
	"the approval ended as it became public": [{"/facts/approvals/0/until": 1789999100000000}, ip_002_public, set()],
	"the approval ended an instant after": [{"/facts/approvals/0/until": 1789999100000001}, ip_002_public, release],
	"an approval of another kind": [{"/facts/approvals/0/kind": "licence"}, ip_002_public, set()],
	"public before": [{"/facts/was_private": false, "/facts/approvals": []}, set(), set()],
	"never ours": [{"/facts/in_org": false, "/facts/approvals": []}, set(), set()],
	"another deadline": [{"/event/kind": "reacceptance", "/facts/approvals": []}, set(), set()],
	"not a deadline": [{"/event/type": "compute.repository.visibility_changed.v1", "/facts/approvals": []}, set(), set()],
}

test_ip_002[case] if {
	some case, [changes, breach, excuse] in ip_002_cases
	doc := testing.with_facts("publication", changes)
	testing.only("IP-002", ip_ownership.breach) == breach with input as doc
	testing.only("IP-002", ip_ownership.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there. Each: the path, breach, excuse.
test_ip_002_unknown[path] if {
	some path, [breach, excuse] in {
		"/facts/was_private": [set(), release],
		"/facts/in_org": [set(), release],
		"/facts/approvals": [ip_002_public, set()],
	}
	doc := testing.without(testing.with_facts("publication", {}), path)
	testing.only("IP-002", ip_ownership.breach) == breach with input as doc
	testing.only("IP-002", ip_ownership.excuse) == excuse with input as doc
}
