package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_012_idle(idle_s, held_s) := {{"code": "FU-012", "evidence": {"idle_s": idle_s, "held_s": held_s}}}

# The fixture: ten GPU-hours idle, and seven tenths of what was held, are what may be.
# Each case: idle, held, what else changes, breach.
fu_012_cases := {
	"just under the floor": [35999, 35999, {}, set()],
	"at the floor": [36000, 36000, {}, set()],
	"just over the floor": [36001, 36001, {}, fu_012_idle(36001, 36001)],
	"just under the ratio": [69999, 100000, {}, set()],
	"at the ratio": [70000, 100000, {}, set()],
	"just over the ratio": [70001, 100000, {}, fu_012_idle(70001, 100000)],
	"known for the node alone": [70001, 100000, {"/event/utilisation": "node"}, set()],
	"not measured": [70001, 100000, {"/event/utilisation": "none"}, set()],
	"not GPU time": [70001, 100000, {"/event/type": "compute.usage.inference.v1"}, set()],
}

test_fu_012[case] if {
	some case, [idle_s, held_s, changes, breach] in fu_012_cases
	gpu := {
		"/event/type": "compute.usage.gpu.v1",
		"/event/utilisation": "device",
		"/facts/use/gpu_idle_s_7d": idle_s,
		"/facts/use/gpu_s_7d": held_s,
	}
	doc := testing.with_facts("usage", object.union(gpu, changes))
	testing.only("FU-012", fair_use.breach) == breach with input as doc
	testing.only("FU-012", fair_use.excuse) == set() with input as doc
}

# What isn't known is a path that isn't there.
test_fu_012_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/use/gpu_idle_s_7d", "/facts/use/gpu_s_7d", "/event/utilisation"]
	doc := testing.without(testing.with_facts("usage", {"/event/type": "compute.usage.gpu.v1", "/event/utilisation": "device", "/facts/use/gpu_idle_s_7d": 70001, "/facts/use/gpu_s_7d": 100000}), path)
	testing.only("FU-012", fair_use.breach) == set() with input as doc
	testing.only("FU-012", fair_use.excuse) == set() with input as doc
}
