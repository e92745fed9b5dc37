package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_002_burst(hour_u, usual_u, hours) := {{"code": "FU-002", "evidence": {"hour_u": hour_u, "usual_u": usual_u, "hours": hours}}}

fu_002_launch := {{"code": "FU-002", "guard": "launch", "by": {"ap-12"}}}

approved_launch := {"/facts/launches": ["ap-12"]}

# The fixture: 96 hours, of which 95 in 100 are at most 42 units; from three times that and from 50 units on it is a burst.
# Each case: the hour's sum, what else changes, breach, excuse.
fu_002_cases := {
	"just under three times": [125999999, {}, set(), set()],
	"at three times": [126000000, {}, set(), set()],
	"just over three times": [126000001, {}, fu_002_burst(126000001, 42000000, 96), set()],
	"just under the floor": [49999999, {"/facts/use/p95_1h_28d_u": 1000000}, set(), set()],
	"at the floor": [50000000, {"/facts/use/p95_1h_28d_u": 1000000}, set(), set()],
	"just over the floor": [50000001, {"/facts/use/p95_1h_28d_u": 1000000}, fu_002_burst(50000001, 1000000, 96), set()],
	"just under the hours": [126000001, {"/facts/use/hours_28d": 39}, set(), set()],
	"at the hours": [126000001, {"/facts/use/hours_28d": 40}, fu_002_burst(126000001, 42000000, 40), set()],
	"just over the hours": [126000001, {"/facts/use/hours_28d": 41}, fu_002_burst(126000001, 42000000, 41), set()],
	"GPU time counts too": [126000001, {"/event/type": "compute.usage.gpu.v1"}, fu_002_burst(126000001, 42000000, 96), set()],
	"a launch": [126000001, approved_launch, fu_002_burst(126000001, 42000000, 96), fu_002_launch],
	"not a usage": [126000001, {"/event/type": "compute.grant.transferred.v1"}, set(), set()],
}

test_fu_002[case] if {
	some case, [hour_u, changes, breach, excuse] in fu_002_cases
	doc := testing.with_facts("usage", object.union({"/facts/use/ccu_1h_u": hour_u}, changes))
	testing.only("FU-002", fair_use.breach) == breach with input as doc
	testing.only("FU-002", fair_use.excuse) == excuse with input as doc
}

# While a price is missing, neither the hour's sum nor what is usual is known: the engine makes the outcome indeterminate.
test_fu_002_accuses_nobody_by_a_missing_fact[path] if {
	some path in ["/facts/use/ccu_1h_u", "/facts/use/p95_1h_28d_u"]
	doc := testing.without(testing.with_facts("usage", {"/facts/use/ccu_1h_u": 126000001}), path)
	testing.only("FU-002", fair_use.breach) == set() with input as doc
}
