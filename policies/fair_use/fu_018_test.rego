package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_018_leans(spent_u, share_ppm) := {{"code": "FU-018", "evidence": {
	"pool": "plan-2026",
	"provider": "anthropic",
	"spent_u": spent_u,
	"share_ppm": share_ppm,
	"limit_ppm": 800000,
}}}

# The fixture: 9,000 units drawn, of which four fifths may be one provider's; 1,000 units are where the rule begins.
# Each case: what was drawn, the largest share (ppm), what else changes, breach.
fu_018_cases := {
	"just under the share": [9000000000, 799999, {}, set()],
	"at the share": [9000000000, 800000, {}, set()],
	"just over the share": [9000000000, 800001, {}, fu_018_leans(9000000000, 800001)],
	"just under the floor": [999999999, 1000000, {}, set()],
	"at the floor": [1000000000, 1000000, {}, fu_018_leans(1000000000, 1000000)],
	"just over the floor": [1000000001, 1000000, {}, fu_018_leans(1000000001, 1000000)],
	"not a draw": [9000000000, 1000000, {"/event/type": "compute.pool.committed.v1"}, set()],
}

test_fu_018[case] if {
	some case, [spent_u, share_ppm, changes, breach] in fu_018_cases
	drawn := {"/facts/spend_90d_u": spent_u, "/facts/top_provider_ppm": share_ppm}
	doc := testing.with_facts("pool", object.union(drawn, changes))
	testing.only("FU-018", fair_use.breach) == breach with input as doc
	testing.only("FU-018", fair_use.excuse) == set() with input as doc
}

# What isn't known is a path that isn't there.
test_fu_018_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/spend_90d_u", "/facts/top_provider_ppm", "/facts/top_provider"]
	doc := testing.without(testing.with_facts("pool", {"/facts/spend_90d_u": 9000000000, "/facts/top_provider_ppm": 800001}), path)
	testing.only("FU-018", fair_use.breach) == set() with input as doc
	testing.only("FU-018", fair_use.excuse) == set() with input as doc
}
