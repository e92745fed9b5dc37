package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_006_holder := {{"code": "IP-006", "evidence": {"since": 1789913600000000, "sent": "yes"}}}

ip_006_company := {{"code": "IP-006", "respondent": "company", "evidence": {"since": 1789913600000000, "sent": "no"}}}

ip_006_leave := {{"code": "IP-006", "guard": "on_leave"}}

# A deadline of a new version that isn't signed. Each case: what changes, breach, excuse.
ip_006_cases := {
	"sent": [{"/facts/due/sent_at": 1}, ip_006_holder, set()],
	"sent, on leave": [{"/facts/due/sent_at": 1, "/facts/on_leave": true}, ip_006_holder, ip_006_leave],
	"never sent": [{"/facts/due/sent_at": 0}, ip_006_company, set()],
	"signed": [{"/facts/due/sent_at": 1, "/facts/due/met": true}, set(), set()],
	"signed without being sent": [{"/facts/due/met": true}, set(), set()],
	"sent, another deadline": [{"/facts/due/sent_at": 1, "/event/kind": "attestation"}, set(), set()],
	"never sent, another deadline": [{"/event/kind": "attestation"}, set(), set()],
	"sent, not a deadline": [{"/facts/due/sent_at": 1, "/event/type": "compute.usage.gpu.v1"}, set(), set()],
	"never sent, not a deadline": [{"/event/type": "compute.usage.gpu.v1"}, set(), set()],
}

test_ip_006[case] if {
	some case, [changes, breach, excuse] in ip_006_cases
	doc := testing.with_facts("deadline", object.union({"/event/kind": "reacceptance"}, changes))
	testing.only("IP-006", ip_ownership.breach) == breach with input as doc
	testing.only("IP-006", ip_ownership.excuse) == excuse with input as doc
}

test_ip_006_unknown if {
	doc := testing.without(testing.with_facts("deadline", {"/event/kind": "reacceptance"}), "/facts/due/met")
	testing.only("IP-006", ip_ownership.breach) == set() with input as doc
}
