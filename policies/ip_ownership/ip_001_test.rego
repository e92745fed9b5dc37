package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_001_tied(by) := {{"code": "IP-001", "evidence": {"usage": "u-1", "grant": "G1", "linked_at": 1789996400000000, "by": by}}}

two := ip_001_tied({"branch", "job"})

by(traces) := {"/facts/links/0/by": traces}

prior_invention := {{"code": "IP-001", "guard": "prior_invention"}}

determination := {{"code": "IP-001", "guard": "determination"}}

second := {"usage": "u-2", "grant": "G2", "ip_terms": "company", "at": 1789996400000001, "by": ["artifact", "session"]}

both := two | {{"code": "IP-001", "evidence": {"usage": "u-2", "grant": "G2", "linked_at": 1789996400000001, "by": {"artifact", "session"}}}}

# The fixture: a push outside, one company-terms link by branch and job; two are asked for. Each case: what changes, breach, excuse.
ip_001_cases := {
	"one trace": [by(["job"]), set(), set()],
	"two traces": [{}, two, set()],
	"three traces": [by(["artifact", "branch", "job"]), ip_001_tied({"artifact", "branch", "job"}), set()],
	"the same trace twice is one": [by(["job", "job"]), set(), set()],
	"each link is told": [{"/facts/links": [second, testing.with_facts("contribution", {}).facts.links[0]]}, both, set()],
	"no link": [{"/facts/links": []}, set(), set()],
	"on the holder's terms": [{"/facts/links/0/ip_terms": "holder"}, set(), set()],
	"inside the organisation": [{"/event/in_org": true}, set(), set()],
	"not a push": [{"/event/action": "downloaded"}, set(), set()],
	"not a contribution": [{"/event/type": "compute.usage.gpu.v1"}, set(), set()],
	"declared before": [{"/facts/prior_invention": true}, two, prior_invention],
	"determined as the holder's": [{"/facts/determination": "holder"}, two, determination],
	"determined as shared": [{"/facts/determination": "shared"}, two, determination],
	"determined as unrelated": [{"/facts/determination": "unrelated"}, two, determination],
	"determined as the company's": [{"/facts/determination": "company"}, two, set()],
}

test_ip_001[case] if {
	some case, [changes, breach, excuse] in ip_001_cases
	doc := testing.with_facts("contribution", changes)
	testing.only("IP-001", ip_ownership.breach) == breach with input as doc
	testing.only("IP-001", ip_ownership.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there. Each: the path, breach, excuse.
test_ip_001_unknown[path] if {
	some path, [breach, excuse] in {
		"/event/in_org": [set(), determination],
		"/facts/links": [set(), determination],
		"/facts/prior_invention": [two, determination],
		"/facts/determination": [two, set()],
	}
	doc := testing.without(testing.with_facts("contribution", {"/facts/determination": "shared"}), path)
	testing.only("IP-001", ip_ownership.breach) == breach with input as doc
	testing.only("IP-001", ip_ownership.excuse) == excuse with input as doc
}
