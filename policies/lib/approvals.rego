# METADATA
# scope: package
# description: Which approvals were in force at an instant (µs). From is inside the period, until is not.
package covenant.lib.approvals

in_force(approvals, kind, at) := {a |
	some a in approvals
	a.kind == kind
	a.from <= at
	at < a.until
}

# Those in force at some instant of [since, until], so that the order of act and approval within it doesn't matter.
in_force_within(approvals, kind, since, until) := {a |
	some a in approvals
	a.kind == kind
	a.from <= until
	since < a.until
}
