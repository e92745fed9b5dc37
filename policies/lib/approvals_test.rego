package covenant.lib.approvals_test

import data.covenant.lib.approvals

fork := {"kind": "fork", "id": "a", "from": 10, "until": 20}

cases := {
	"from its first instant": [10, {fork}],
	"to the last instant before its end": [19, {fork}],
	"not an instant earlier": [9, set()],
	"not at its end": [20, set()],
}

test_in_force[case] if {
	some case, [at, found] in cases
	approvals.in_force([fork, {"kind": "launch", "id": "b", "from": 0, "until": 99}], "fork", at) == found
}
