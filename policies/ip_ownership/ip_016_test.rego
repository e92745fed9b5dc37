package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_016_in(jurisdiction) := {{"code": "IP-016", "evidence": {"jurisdiction": jurisdiction}}}

# The fixture: an assignment signed in California without the notice. Each case: what changes, breach.
ip_016_cases := {
	"without the notice": [{}, ip_016_in("US-CA")],
	"in another place that asks for it": [{"/facts/jurisdiction": "US-WA"}, ip_016_in("US-WA")],
	"with the notice": [{"/event/notice_given": true}, set()],
	"where no law asks for it": [{"/facts/jurisdiction": "DE"}, set()],
	"elsewhere in the same country": [{"/facts/jurisdiction": "US-NY"}, set()],
	"another document": [{"/event/document": "acceptable_use"}, set()],
	"not a signing": [{"/event/type": "compute.deadline.reached.v1"}, set()],
}

test_ip_016[case] if {
	some case, [changes, breach] in ip_016_cases
	doc := testing.with_facts("signing", changes)
	testing.only("IP-016", ip_ownership.breach) == breach with input as doc
	testing.only("IP-016", ip_ownership.excuse) == set() with input as doc
}

test_ip_016_unknown[path] if {
	some path in ["/event/notice_given", "/facts/jurisdiction"]
	doc := testing.without(testing.with_facts("signing", {}), path)
	testing.only("IP-016", ip_ownership.breach) == set() with input as doc
}
