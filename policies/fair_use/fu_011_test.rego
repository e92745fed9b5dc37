package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_011_from(region) := {{"code": "FU-011", "evidence": {"region": region}}}

fu_011_travel := {{"code": "FU-011", "guard": "travel_recorded"}}

# The fixture: IR and KP are prohibited. Each case: the region, what else changes, breach, excuse.
fu_011_cases := {
	"prohibited": ["KP", {}, fu_011_from("KP"), set()],
	"another prohibited one": ["IR", {}, fu_011_from("IR"), set()],
	"GPU time counts too": ["KP", {"/event/type": "compute.usage.gpu.v1"}, fu_011_from("KP"), set()],
	"permitted": ["DE", {}, set(), set()],
	"the source says no region": ["none", {}, set(), set()],
	"travelling there": ["IR", {"/facts/travel": ["IR"]}, fu_011_from("IR"), fu_011_travel],
	"travelling elsewhere": ["IR", {"/facts/travel": ["KP"]}, fu_011_from("IR"), set()],
	"not a usage": ["KP", {"/event/type": "compute.grant.transferred.v1"}, set(), set()],
}

test_fu_011[case] if {
	some case, [region, changes, breach, excuse] in fu_011_cases
	doc := testing.with_facts("usage", object.union({"/event/region": region}, changes))
	testing.only("FU-011", fair_use.breach) == breach with input as doc
	testing.only("FU-011", fair_use.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there: the breach stands, and the engine makes the outcome indeterminate.
test_fu_011_excuses_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/travel"]
	doc := testing.without(testing.with_facts("usage", {"/event/region": "IR", "/facts/travel": ["IR"]}), path)
	testing.only("FU-011", fair_use.breach) == fu_011_from("IR") with input as doc
	testing.only("FU-011", fair_use.excuse) == set() with input as doc
}
