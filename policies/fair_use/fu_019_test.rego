package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_019_more(hours, drawn_gpu_s) := {{"code": "FU-019", "evidence": {
	"pool": "plan-2026",
	"hours": hours,
	"drawn_gpu_s": drawn_gpu_s,
	"capacity_gpu_s": 200000,
	"limit_ppm": 300000,
}}}

# The fixture: 200,000 GPU-seconds in busy hours, of which three tenths are a share; ten hours are where the rule begins.
# Each case: how many hours, what the holder drew in them, what else changes, breach.
fu_019_cases := {
	"just under the share": [10, 59999, {}, set()],
	"at the share": [10, 60000, {}, set()],
	"just over the share": [10, 60001, {}, fu_019_more(10, 60001)],
	"just under the hours": [9, 200000, {}, set()],
	"at the hours": [10, 200000, {}, fu_019_more(10, 200000)],
	"just over the hours": [11, 200000, {}, fu_019_more(11, 200000)],
	"never busy": [0, 0, {"/facts/contended_capacity_gpu_s": 0}, set()],
	"not a draw": [10, 200000, {"/event/type": "compute.pool.resized.v1"}, set()],
}

test_fu_019[case] if {
	some case, [hours, drawn_gpu_s, changes, breach] in fu_019_cases
	drawn := {"/facts/contended_hours": hours, "/facts/holder_contended_gpu_s": drawn_gpu_s}
	doc := testing.with_facts("pool", object.union(drawn, changes))
	testing.only("FU-019", fair_use.breach) == breach with input as doc
	testing.only("FU-019", fair_use.excuse) == set() with input as doc
}

# What isn't known is a path that isn't there.
test_fu_019_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/contended_hours", "/facts/holder_contended_gpu_s", "/facts/contended_capacity_gpu_s"]
	doc := testing.without(testing.with_facts("pool", {"/facts/contended_hours": 10, "/facts/holder_contended_gpu_s": 60001}), path)
	testing.only("FU-019", fair_use.breach) == set() with input as doc
	testing.only("FU-019", fair_use.excuse) == set() with input as doc
}
