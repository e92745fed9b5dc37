package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_011_of(downloads, usual) := {{"code": "IP-011", "evidence": {"downloads": downloads, "usual": usual, "k": 5}}}

handover := {"kind": "handover", "id": "ap-9", "about": "p-7", "from": 1789900000000000, "until": 1790000000000001, "decided": 1789900000000000, "amount_u": 0}

ip_011_by_record := {{"code": "IP-011", "guard": "handover"}}

ip_011_by_approval := {{"code": "IP-011", "guard": "handover_approved", "by": {"ap-9"}}}

# The fixture: somebody on notice read a private repository of ours 21 times, and 4 times in a usual month; five times as
# often and twenty times at least is asked about. Each case: readings, usual, what else changes, breach, excuse.
ip_011_cases := {
	"just over the multiple": [21, 4, {}, ip_011_of(21, 4), set()],
	"at the multiple": [20, 4, {}, set(), set()],
	"just under the multiple": [19, 4, {}, set(), set()],
	"at the floor": [20, 3, {}, ip_011_of(20, 3), set()],
	"just under the floor": [19, 3, {}, set(), set()],
	"just over the floor": [21, 0, {}, ip_011_of(21, 0), set()],
	"one window is whole": [21, 4, {"/facts/downloads/windows": 1}, ip_011_of(21, 4), set()],
	"two windows are whole": [21, 4, {"/facts/downloads/windows": 2}, ip_011_of(21, 4), set()],
	"no window is whole": [21, 4, {"/facts/downloads/windows": 0}, set(), set()],
	"looked at again on notice": [21, 4, {"/event/type": "compute.contribution.reviewed.v1"}, ip_011_of(21, 4), set()],
	"not leaving": [21, 4, {"/facts/exit/state": "none"}, set(), set()],
	"left already": [21, 4, {"/facts/exit/state": "ended"}, set(), set()],
	"a public repository": [21, 4, {"/event/private": false}, set(), set()],
	"outside the organisation": [21, 4, {"/event/in_org": false}, set(), set()],
	"a push": [21, 4, {"/event/action": "pushed"}, set(), set()],
	"not a contribution": [21, 4, {"/event/type": "compute.usage.gpu.v1"}, set(), set()],
	"a handover is agreed": [21, 4, {"/facts/handover": "agreed"}, ip_011_of(21, 4), ip_011_by_record],
	"a handover is approved": [21, 4, {"/facts/approvals": [handover]}, ip_011_of(21, 4), ip_011_by_approval],
	"its approval has just ended": [21, 4, {"/facts/approvals": [object.union(handover, {"until": 1790000000000000})]}, ip_011_of(21, 4), set()],
	"an approval of another kind": [21, 4, {"/facts/approvals": [object.union(handover, {"kind": "fork"})]}, ip_011_of(21, 4), set()],
}

test_ip_011[case] if {
	some case, [downloads, usual, changes, breach, excuse] in ip_011_cases
	read := {"/facts/downloads/window": downloads, "/facts/downloads/usual": usual}
	doc := testing.with_facts("reading", object.union(read, changes))
	testing.only("IP-011", ip_ownership.breach) == breach with input as doc
	testing.only("IP-011", ip_ownership.excuse) == excuse with input as doc
}

# Whether a handover was agreed or approved may not be known: the breach stands, and the engine makes the outcome indeterminate.
test_ip_011_excuses_nothing_by_a_missing_fact if {
	agreed := {"/facts/handover": "agreed", "/facts/approvals": [handover]}
	doc := testing.with_facts("reading", agreed)
	testing.only("IP-011", ip_ownership.excuse) == ip_011_by_approval with input as testing.without(doc, "/facts/handover")
	testing.only("IP-011", ip_ownership.excuse) == ip_011_by_record with input as testing.without(doc, "/facts/approvals")
}

test_ip_011_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/downloads/usual", "/facts/downloads", "/facts/exit", "/event/in_org", "/event/private"]
	doc := testing.without(testing.with_facts("reading", {}), path)
	testing.only("IP-011", ip_ownership.breach) == set() with input as doc
}
