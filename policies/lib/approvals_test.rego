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

within_cases := {
	"begins at the end": [0, 10, {fork}],
	"begins an instant after the end": [0, 9, set()],
	"ends an instant after the start": [19, 30, {fork}],
	"ended at the start": [20, 30, set()],
	"lies within": [0, 99, {fork}],
}

test_in_force_within[case] if {
	some case, [since, until, found] in within_cases
	approvals.in_force_within([fork, {"kind": "launch", "id": "b", "from": 0, "until": 99}], "fork", since, until) == found
}
