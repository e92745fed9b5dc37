package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_015_tagged := {{"code": "FU-015", "evidence": {"tag": "mining"}}}

fu_015_determined := {{"code": "FU-015", "guard": "determined"}}

# The fixture: mining is prohibited. Each case: the tag, what else changes, breach, excuse.
fu_015_cases := {
	"prohibited": ["mining", {}, fu_015_tagged, set()],
	"GPU time counts too": ["mining", {"/event/type": "compute.usage.gpu.v1"}, fu_015_tagged, set()],
	"another tag": ["evaluation", {}, set(), set()],
	"no tag": ["none", {}, set(), set()],
	"determined to be something else": ["mining", {"/facts/workload": "cleared"}, fu_015_tagged, fu_015_determined],
	"determined to be that": ["mining", {"/facts/workload": "confirmed"}, fu_015_tagged, set()],
	"not a usage": ["mining", {"/event/type": "compute.grant.transferred.v1"}, set(), set()],
}

test_fu_015[case] if {
	some case, [tag, changes, breach, excuse] in fu_015_cases
	doc := testing.with_facts("usage", object.union({"/event/tag": tag}, changes))
	testing.only("FU-015", fair_use.breach) == breach with input as doc
	testing.only("FU-015", fair_use.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there: the breach stands, and the engine makes the outcome indeterminate.
test_fu_015_excuses_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/workload"]
	doc := testing.without(testing.with_facts("usage", {"/event/tag": "mining", "/facts/workload": "cleared"}), path)
	testing.only("FU-015", fair_use.breach) == fu_015_tagged with input as doc
	testing.only("FU-015", fair_use.excuse) == set() with input as doc
}
