package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_008_holder := {{"code": "IP-008", "evidence": {"since": 1789913600000000, "reminded": "yes"}}}

ip_008_company := {{"code": "IP-008", "respondent": "company", "evidence": {"since": 1789913600000000, "reminded": "no"}}}

# A deadline of an attestation that wasn't given again. Each case: what changes, breach.
ip_008_cases := {
	"reminded": [{"/facts/due/asked": 1}, ip_008_holder],
	"sent, and not reminded": [{"/facts/due/sent_at": 1, "/facts/due/asked": 0}, ip_008_company],
	"attested": [{"/facts/due/asked": 1, "/facts/due/met": true}, set()],
	"attested without being reminded": [{"/facts/due/met": true}, set()],
	"reminded, another deadline": [{"/facts/due/asked": 1, "/event/kind": "reacceptance"}, set()],
	"not reminded, another deadline": [{"/event/kind": "reacceptance"}, set()],
	"reminded, not a deadline": [{"/facts/due/asked": 1, "/event/type": "compute.usage.gpu.v1"}, set()],
	"not reminded, not a deadline": [{"/event/type": "compute.usage.gpu.v1"}, set()],
}

test_ip_008[case] if {
	some case, [changes, breach] in ip_008_cases
	doc := testing.with_facts("deadline", object.union({"/event/kind": "attestation"}, changes))
	testing.only("IP-008", ip_ownership.breach) == breach with input as doc
	testing.only("IP-008", ip_ownership.excuse) == set() with input as doc
}

test_ip_008_unknown if {
	doc := testing.without(testing.with_facts("deadline", {"/event/kind": "attestation"}), "/facts/due/met")
	testing.only("IP-008", ip_ownership.breach) == set() with input as doc
}
