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
