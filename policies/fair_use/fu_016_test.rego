package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_016_untold(unspent_u) := {{"code": "FU-016", "evidence": {"grant": "G1", "until": 1792592000000000, "unspent_u": unspent_u}}}

fu_016_leave := {{"code": "FU-016", "guard": "on_leave"}}

# The fixture, a month before the grant expires; 1,000 units and half of the grant are where the rule begins.
# Each case: what is unspent and which share of the grant (ppm), what else changes, breach, excuse.
fu_016_cases := {
	"just under the floor": [999999999, 800000, {}, set(), set()],
	"at the floor": [1000000000, 800000, {}, fu_016_untold(1000000000), set()],
	"just over the floor": [1000000001, 800000, {}, fu_016_untold(1000000001), set()],
	"just under the share": [4000000000, 499999, {}, set(), set()],
	"at the share": [4000000000, 500000, {}, fu_016_untold(4000000000), set()],
	"just over the share": [4000000000, 500001, {}, fu_016_untold(4000000000), set()],
	"told": [4000000000, 800000, {"/facts/due/met": true}, set(), set()],
	"on leave": [4000000000, 800000, {"/facts/on_leave": true}, fu_016_untold(4000000000), fu_016_leave],
	"another duty": [4000000000, 800000, {"/event/kind": "usage_uncovered"}, set(), set()],
	"not a deadline": [4000000000, 800000, {"/event/type": "compute.grant.transferred.v1"}, set(), set()],
}

test_fu_016[case] if {
	some case, [unspent_u, ppm, changes, breach, excuse] in fu_016_cases
	due := {"/event/kind": "grant_expiring", "/facts/grant/unspent_u": unspent_u, "/facts/grant/unspent_ppm": ppm}
	doc := testing.with_facts("deadline", object.union(due, changes))
	testing.only("FU-016", fair_use.breach) == breach with input as doc
	testing.only("FU-016", fair_use.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there. Each: the path, breach.
test_fu_016_unknown[path] if {
	some path, breach in {
		"/facts/due/met": set(),
		"/facts/grant/unspent_u": set(),
		"/facts/grant/unspent_ppm": set(),
		"/facts/on_leave": fu_016_untold(4000000000),
	}
	doc := testing.without(testing.with_facts("deadline", {"/event/kind": "grant_expiring"}), path)
	testing.only("FU-016", fair_use.breach) == breach with input as doc
	testing.only("FU-016", fair_use.excuse) == set() with input as doc
}
