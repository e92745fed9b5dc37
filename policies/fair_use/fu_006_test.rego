package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_006_moved(approval) := {{"code": "FU-006", "evidence": {"grant": "G1", "to": "p-8", "approval": approval}}}

fu_006_late := {{"code": "FU-006", "guard": "approved_late", "by": {"ap-20"}}}

after := 1790000000000001

# The fixture: a transfer at 1790000000 s with an approval decided long before. Each case: what the fold says of the approval, when it was decided, what else changes, breach, excuse.
fu_006_cases := {
	"approved before": ["before", 1789049600000000, {}, set(), set()],
	"never approved": ["none", 1789049600000000, {}, fu_006_moved("none"), set()],
	"approved an instant later, back-dated": ["late", after, {}, fu_006_moved("late"), fu_006_late],
	"decided at that instant": ["late", 1790000000000000, {}, fu_006_moved("late"), set()],
	"the late approval is about another transfer": ["none", after, {}, fu_006_moved("none"), set()],
	"the late approval doesn't reach back": ["late", after, {"/facts/approvals/0/from": after}, fu_006_moved("late"), set()],
	"the late approval is of another kind": ["late", after, {"/facts/approvals/0/kind": "release"}, fu_006_moved("late"), set()],
	"not a transfer": ["none", after, {"/event/type": "compute.grant.vested.v1"}, set(), set()],
}

test_fu_006[case] if {
	some case, [approval, decided, changes, breach, excuse] in fu_006_cases
	doc := testing.with_facts("transfer", object.union({"/facts/transfer/approval": approval, "/facts/approvals/0/decided": decided}, changes))
	testing.only("FU-006", fair_use.breach) == breach with input as doc
	testing.only("FU-006", fair_use.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there. Each: the path, breach.
test_fu_006_unknown[path] if {
	some path, breach in {"/facts/transfer": set(), "/facts/approvals": fu_006_moved("late")}
	doc := testing.without(testing.with_facts("transfer", {"/facts/transfer/approval": "late", "/facts/approvals/0/decided": after}), path)
	testing.only("FU-006", fair_use.breach) == breach with input as doc
	testing.only("FU-006", fair_use.excuse) == set() with input as doc
}
