package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_014_nothing(tokens) := {{"code": "FU-014", "evidence": {"tokens": tokens}}}

fu_014_free := {{"code": "FU-014", "guard": "free"}}

# The fixture: the rule begins with 1,000 tokens. Each case: tokens, units, what else changes, breach, excuse.
fu_014_cases := {
	"just under the tokens": [999, 0, {}, set(), set()],
	"at the tokens": [1000, 0, {}, fu_014_nothing(1000), set()],
	"just over the tokens": [1001, 0, {}, fu_014_nothing(1001), set()],
	"a unit's smallest part": [1000, 1, {}, set(), set()],
	"free": [1000, 0, {"/event/free": true}, fu_014_nothing(1000), fu_014_free],
	"GPU time has no tokens": [1000, 0, {"/event/type": "compute.usage.gpu.v1"}, set(), set()],
}

test_fu_014[case] if {
	some case, [tokens, ccu_u, changes, breach, excuse] in fu_014_cases
	doc := testing.with_facts("usage", object.union({"/event/tokens": tokens, "/event/ccu_u": ccu_u}, changes))
	testing.only("FU-014", fair_use.breach) == breach with input as doc
	testing.only("FU-014", fair_use.excuse) == excuse with input as doc
}

# Without a price its units aren't known, which isn't the same as none: the engine makes the outcome indeterminate.
test_fu_014_finds_nothing_by_a_missing_fact if {
	doc := testing.without(testing.with_facts("usage", {}), "/event/ccu_u")
	testing.only("FU-014", fair_use.breach) == set() with input as doc
}
