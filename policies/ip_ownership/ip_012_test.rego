package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_012_after(ended_at) := {{"code": "IP-012", "evidence": {"action": "pushed", "ended_at": ended_at, "grace_us": 86400000000}}}

day_before := 1789913600000000

# A push at 1790000000 s to a private repository of ours. Each case: when the engagement ended, what else changes, breach.
ip_012_cases := {
	"the grace isn't over": [day_before + 1, {}, set()],
	"the grace ends this instant": [day_before, {}, set()],
	"the grace ended an instant ago": [day_before - 1, {}, ip_012_after(day_before - 1)],
	"on notice only": [day_before - 1, {"/facts/exit/state": "notice"}, set()],
	"never left": [0, {"/facts/exit/state": "none"}, set()],
	"public": [day_before - 1, {"/event/private": false}, set()],
	"outside the organisation": [day_before - 1, {"/event/in_org": false}, set()],
	"not a contribution": [day_before - 1, {"/event/type": "compute.usage.gpu.v1"}, set()],
}

test_ip_012[case] if {
	some case, [ended_at, changes, breach] in ip_012_cases
	left := {"/event/in_org": true, "/facts/exit/state": "ended", "/facts/exit/ended_at": ended_at, "/facts/prior_invention": true}
	doc := testing.with_facts("contribution", object.union(left, changes))
	testing.only("IP-012", ip_ownership.breach) == breach with input as doc
	testing.only("IP-012", ip_ownership.excuse) == set() with input as doc
}

# What isn't known is a path that isn't there.
test_ip_012_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/event/in_org", "/event/private", "/facts/exit"]
	doc := testing.without(testing.with_facts("contribution", {"/event/in_org": true, "/facts/exit/state": "ended", "/facts/exit/ended_at": day_before - 1}), path)
	testing.only("IP-012", ip_ownership.breach) == set() with input as doc
	testing.only("IP-012", ip_ownership.excuse) == set() with input as doc
}
