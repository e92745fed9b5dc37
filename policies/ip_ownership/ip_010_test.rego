package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_010_rival := {{"code": "IP-010", "evidence": {"member_of": "github.com/rival-labs", "basis": "declared"}}}

ip_010_supplied := {{"code": "IP-010", "evidence": {"member_of": "github.com/rival-labs", "basis": "supplied"}}}

# The fixture: a holder of a grant says that they belong to a listed organisation. Each case: what changes, breach.
ip_010_cases := {
	"declared": [{}, ip_010_rival],
	"supplied": [{"/event/basis": "supplied"}, ip_010_supplied],
	"on notice": [{"/facts/exit/state": "notice"}, ip_010_rival],
	"the engagement is over": [{"/facts/exit/state": "ended"}, set()],
	"the membership is over": [{"/facts/membership": "ended"}, set()],
	"no grant": [{"/facts/grant_holder": false}, set()],
	"not listed": [{"/event/member_of": "github.com/gardeners"}, set()],
	"nothing is listed": [{"/ps": "default"}, set()],
	"not a membership": [{"/event/type": "compute.usage.gpu.v1"}, set()],
}

test_ip_010[case] if {
	some case, [changes, breach] in ip_010_cases
	doc := testing.with_facts("membership", changes)
	testing.only("IP-010", ip_ownership.breach) == breach with input as doc
	testing.only("IP-010", ip_ownership.excuse) == set() with input as doc
}

test_ip_010_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/membership", "/facts/grant_holder", "/facts/exit", "/event/member_of"]
	doc := testing.without(testing.with_facts("membership", {}), path)
	testing.only("IP-010", ip_ownership.breach) == set() with input as doc
}
