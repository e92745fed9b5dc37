package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_015_released(ccu_u) := {{"code": "IP-015", "evidence": {"ccu_u": ccu_u, "holders": ["p-7"]}}}

# The fixture: a release from a repository outside with 30 CCU of exposure. Each case: what changes, breach.
ip_015_cases := {
	"undetermined": [{}, ip_015_released(30000000)],
	"the least there can be": [{"/facts/exposure/ccu_u": 1}, ip_015_released(1)],
	"no exposure": [{"/facts/exposure/ccu_u": 0}, set()],
	"the holder's": [{"/facts/ownership": "holder"}, set()],
	"the company's": [{"/facts/ownership": "company"}, set()],
	"shared": [{"/facts/ownership": "shared"}, set()],
	"not a release": [{"/event/type": "compute.repository.licence_changed.v1"}, set()],
}

test_ip_015[case] if {
	some case, [changes, breach] in ip_015_cases
	doc := testing.with_facts("release", changes)
	testing.only("IP-015", ip_ownership.breach) == breach with input as doc
	testing.only("IP-015", ip_ownership.excuse) == set() with input as doc
}

test_ip_015_unknown if {
	doc := testing.without(testing.with_facts("release", {}), "/facts/ownership")
	testing.only("IP-015", ip_ownership.breach) == set() with input as doc
}
