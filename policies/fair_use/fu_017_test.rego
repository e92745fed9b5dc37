package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_017_over(committed_u) := {{"code": "FU-017", "evidence": {"pool": "plan-2026", "committed_u": committed_u, "plan_u": 10000000000}}}

fu_017_board := {{"code": "FU-017", "guard": "board_approval", "by": {"ap-41"}}}

fu_017_lapsed := {"/facts/approvals/0/until": 1790000000000000}

# The fixture: a plan of 10,000 units, and an approval of the board in force. Each case: what is committed, what else changes, breach, excuse.
fu_017_cases := {
	"just under the plan": [9999999999, {}, set(), fu_017_board],
	"at the plan": [10000000000, {}, set(), fu_017_board],
	"just over the plan, approved": [10000000001, {}, fu_017_over(10000000001), fu_017_board],
	"just over the plan": [10000000001, fu_017_lapsed, fu_017_over(10000000001), set()],
	"the approval begins this instant": [10000000001, {"/facts/approvals/0/from": 1790000000000000}, fu_017_over(10000000001), fu_017_board],
	"the approval begins the next": [10000000001, {"/facts/approvals/0/from": 1790000000000001}, fu_017_over(10000000001), set()],
	"an approval of another kind": [10000000001, {"/facts/approvals/0/kind": "launch"}, fu_017_over(10000000001), set()],
	"the plan was made too small": [10000000001, object.union(fu_017_lapsed, {"/event/type": "compute.pool.planned.v1"}), fu_017_over(10000000001), set()],
	"the plan became smaller": [10000000001, object.union(fu_017_lapsed, {"/event/type": "compute.pool.resized.v1"}), fu_017_over(10000000001), set()],
	"a cluster has no plan": [10000000001, object.union(fu_017_lapsed, {"/facts/plan": "none"}), set(), set()],
	"a draw changes nothing about it": [10000000001, object.union(fu_017_lapsed, {"/event/type": "compute.pool.drawn.v1"}), set(), set()],
}

test_fu_017[case] if {
	some case, [committed_u, changes, breach, excuse] in fu_017_cases
	made := {"/event/type": "compute.pool.committed.v1", "/facts/committed_u": committed_u}
	doc := testing.with_facts("pool", object.union(made, changes))
	testing.only("FU-017", fair_use.breach) == breach with input as doc
	testing.only("FU-017", fair_use.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there. Each: the path, breach, excuse.
test_fu_017_unknown[path] if {
	some path, [breach, excuse] in {
		"/facts/approvals": [fu_017_over(10000000001), set()],
		"/facts/committed_u": [set(), fu_017_board],
		"/facts/plan_u": [set(), fu_017_board],
		"/facts/plan": [set(), fu_017_board],
	}
	doc := testing.without(testing.with_facts("pool", {"/event/type": "compute.pool.committed.v1", "/facts/committed_u": 10000000001}), path)
	testing.only("FU-017", fair_use.breach) == breach with input as doc
	testing.only("FU-017", fair_use.excuse) == excuse with input as doc
}
