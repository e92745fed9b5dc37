package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_005_holder := {{"code": "IP-005", "evidence": {"since": 1789913600000000, "sent": "yes"}}}

ip_005_company := {{"code": "IP-005", "respondent": "company", "evidence": {"since": 1789913600000000, "sent": "no"}}}

# A deadline of an assignment that isn't signed, of somebody who uses granted compute. Each case: what changes, breach.
ip_005_cases := {
	"sent": [{"/facts/due/sent_at": 1}, ip_005_holder],
	"never sent": [{"/facts/due/sent_at": 0}, ip_005_company],
	"signed": [{"/facts/due/sent_at": 1, "/facts/due/met": true}, set()],
	"signed without being sent": [{"/facts/due/met": true}, set()],
	"sent, but nothing used": [{"/facts/due/sent_at": 1, "/facts/consuming": false}, set()],
	"never sent, and nothing used": [{"/facts/consuming": false}, set()],
	"sent, another deadline": [{"/facts/due/sent_at": 1, "/event/kind": "reacceptance"}, set()],
	"never sent, another deadline": [{"/event/kind": "reacceptance"}, set()],
	"sent, not a deadline": [{"/facts/due/sent_at": 1, "/event/type": "compute.usage.gpu.v1"}, set()],
	"never sent, not a deadline": [{"/event/type": "compute.usage.gpu.v1"}, set()],
}

test_ip_005[case] if {
	some case, [changes, breach] in ip_005_cases
	doc := testing.with_facts("deadline", object.union({"/event/kind": "ip_assignment"}, changes))
	testing.only("IP-005", ip_ownership.breach) == breach with input as doc
	testing.only("IP-005", ip_ownership.excuse) == set() with input as doc
}

test_ip_005_unknown if {
	doc := testing.without(testing.with_facts("deadline", {"/event/kind": "ip_assignment"}), "/facts/due/met")
	testing.only("IP-005", ip_ownership.breach) == set() with input as doc
}
