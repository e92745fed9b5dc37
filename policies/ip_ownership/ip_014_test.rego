package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_014_to(licence) := {{"code": "IP-014", "evidence": {"before": "apache-2.0", "licence": licence}}}

ip_014_from(before) := {{"code": "IP-014", "evidence": {"before": before, "licence": "agpl-3.0"}}}

licence_approved := {{"code": "IP-014", "guard": "licence", "by": {"ap-33"}}}

# The fixture: a repository of ours goes from one licence to a listed one, approved. Each case: what changes, breach, excuse.
ip_014_cases := {
	"approved": [{}, ip_014_to("agpl-3.0"), licence_approved],
	"not approved": [{"/facts/approvals": []}, ip_014_to("agpl-3.0"), set()],
	"removed": [{"/event/licence": "none", "/facts/approvals": []}, ip_014_to("none"), set()],
	"removed with approval": [{"/event/licence": "none"}, ip_014_to("none"), licence_approved],
	"the one before isn't known": [{"/event/licence_before": "unknown", "/facts/approvals": []}, ip_014_from("unknown"), set()],
	"the first one": [{"/event/licence_before": "none", "/facts/approvals": []}, ip_014_from("none"), set()],
	"the same as before": [{"/event/licence_before": "agpl-3.0", "/facts/approvals": []}, set(), set()],
	"to one that isn't listed": [{"/event/licence": "mit", "/facts/approvals": []}, set(), set()],
	"an approval of another kind": [{"/facts/approvals/0/kind": "release"}, ip_014_to("agpl-3.0"), set()],
	"the approval begins an instant later": [{"/facts/approvals/0/from": 1790000000000001}, ip_014_to("agpl-3.0"), set()],
	"the approval has just ended": [{"/facts/approvals/0/until": 1790000000000000}, ip_014_to("agpl-3.0"), set()],
	"never ours": [{"/facts/in_org": false, "/facts/approvals": []}, set(), set()],
	"not a change of licence": [{"/event/type": "compute.repository.released.v1", "/facts/approvals": []}, set(), set()],
}

test_ip_014[case] if {
	some case, [changes, breach, excuse] in ip_014_cases
	doc := testing.with_facts("licence", changes)
	testing.only("IP-014", ip_ownership.breach) == breach with input as doc
	testing.only("IP-014", ip_ownership.excuse) == excuse with input as doc
}

test_ip_014_unknown[path] if {
	some path, [breach, excuse] in {
		"/event/licence": [set(), licence_approved],
		"/facts/in_org": [set(), licence_approved],
		"/facts/approvals": [ip_014_to("agpl-3.0"), set()],
	}
	doc := testing.without(testing.with_facts("licence", {}), path)
	testing.only("IP-014", ip_ownership.breach) == breach with input as doc
	testing.only("IP-014", ip_ownership.excuse) == excuse with input as doc
}
