package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_005_around(days) := {{"code": "FU-005", "evidence": {"days": days, "hours": 20}}}

# The fixture: 20 hours a day on 5 of 7 days are where the rule begins. Each case: hours of each day, what else changes, breach.
fu_005_cases := {
	"just under the days": [[20, 20, 20, 20, 0, 0, 1], {}, set()],
	"at the days": [[20, 20, 20, 20, 0, 0, 20], {}, fu_005_around(5)],
	"just over the days": [[20, 20, 20, 20, 0, 20, 20], {}, fu_005_around(6)],
	"just under the hours": [[20, 20, 20, 20, 0, 0, 19], {}, set()],
	"just over the hours": [[21, 21, 21, 21, 0, 0, 21], {}, fu_005_around(5)],
	"an agent's": [[20, 20, 20, 20, 0, 0, 20], {"/event/interactive": "agent"}, set()],
	"not interactive": [[20, 20, 20, 20, 0, 0, 20], {"/event/interactive": "no"}, set()],
	"the source doesn't say": [[20, 20, 20, 20, 0, 0, 20], {"/event/interactive": "none"}, set()],
	"GPU time is out": [[20, 20, 20, 20, 0, 0, 20], {"/event/type": "compute.usage.gpu.v1"}, set()],
}

test_fu_005[case] if {
	some case, [day_hours, changes, breach] in fu_005_cases
	doc := testing.with_facts("usage", object.union({"/facts/use/day_hours": day_hours}, changes))
	testing.only("FU-005", fair_use.breach) == breach with input as doc
	testing.only("FU-005", fair_use.excuse) == set() with input as doc
}

# What isn't known is a path that isn't there.
test_fu_005_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/use/day_hours", "/event/interactive"]
	doc := testing.without(testing.with_facts("usage", {"/facts/use/day_hours": [20, 20, 20, 20, 20, 20, 20]}), path)
	testing.only("FU-005", fair_use.breach) == set() with input as doc
	testing.only("FU-005", fair_use.excuse) == set() with input as doc
}
