package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_009_undecided := {{"code": "IP-009", "evidence": {"submitted_at": 1787408000000000}}}

# A deadline of a disclosure that isn't decided. Each case: what changes, breach.
ip_009_cases := {
	"undecided": [{}, ip_009_undecided],
	"decided": [{"/facts/due/met": true}, set()],
	"another deadline": [{"/event/kind": "attestation"}, set()],
	"not a deadline": [{"/event/type": "compute.usage.gpu.v1"}, set()],
}

ip_009_due := {"/event/kind": "disclosure_decision", "/facts/due/sent_at": 1787408000000000}

test_ip_009[case] if {
	some case, [changes, breach] in ip_009_cases
	doc := testing.with_facts("deadline", object.union(ip_009_due, changes))
	testing.only("IP-009", ip_ownership.breach) == breach with input as doc
	testing.only("IP-009", ip_ownership.excuse) == set() with input as doc
}

test_ip_009_unknown if {
	doc := testing.without(testing.with_facts("deadline", ip_009_due), "/facts/due/met")
	testing.only("IP-009", ip_ownership.breach) == set() with input as doc
}
