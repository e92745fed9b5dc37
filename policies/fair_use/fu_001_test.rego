package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_001_over(sum_u) := {{"code": "FU-001", "evidence": {"sum_u": sum_u, "cap_u": 1000000000}}}

fu_001_uplift := {{"code": "FU-001", "guard": "cap_uplift", "by": {"ap-12"}}}

# The fixture: usage at 1790000000 s, cap 1,000 CCU, uplift of 200. Each case: the sum, what else changes, breach, excuse.
fu_001_cases := {
	"just under the cap": [999999999, {}, set(), fu_001_uplift],
	"at the cap": [1000000000, {}, set(), fu_001_uplift],
	"just over the cap": [1000000001, {}, fu_001_over(1000000001), fu_001_uplift],
	"over the cap, covered to the last unit": [1200000000, {}, fu_001_over(1200000000), fu_001_uplift],
	"over cap and uplift": [1200000001, {}, fu_001_over(1200000001), set()],
	"GPU time counts too": [1200000001, {"/event/type": "compute.usage.gpu.v1"}, fu_001_over(1200000001), set()],
	"uplift begins this instant": [1200000000, {"/facts/approvals/0/from": 1790000000000000}, fu_001_over(1200000000), fu_001_uplift],
	"uplift begins the next": [1200000000, {"/facts/approvals/0/from": 1790000000000001}, fu_001_over(1200000000), set()],
	"uplift ended this instant": [1200000000, {"/facts/approvals/0/until": 1790000000000000}, fu_001_over(1200000000), set()],
	"approval of another kind": [1200000000, {"/facts/approvals/0/kind": "launch"}, fu_001_over(1200000000), set()],
	"not a usage": [1200000001, {"/event/type": "compute.grant.vested.v1"}, set(), set()],
}

test_fu_001[case] if {
	some case, [sum_u, changes, breach, excuse] in fu_001_cases
	doc := testing.with_facts("usage", object.union({"/facts/use/ccu_30d_u": sum_u}, changes))
	testing.only("FU-001", fair_use.breach) == breach with input as doc
	testing.only("FU-001", fair_use.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there. Each: the path, breach.
test_fu_001_unknown[path] if {
	some path, breach in {"/facts/use/ccu_30d_u": set(), "/facts/approvals": fu_001_over(1000000001)}
	doc := testing.without(testing.with_facts("usage", {"/facts/use/ccu_30d_u": 1000000001}), path)
	testing.only("FU-001", fair_use.breach) == breach with input as doc
	testing.only("FU-001", fair_use.excuse) == set() with input as doc
}
