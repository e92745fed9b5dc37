# METADATA
# scope: package
# description: The only query. Each answer carries its event's id. Excuses are asked for only where there is a breach.
package covenant.main

families := {"fair_use", "ip_ownership"}

# The engine puts the bundle's digest beside the data when it loads them; every answer repeats it.
default revision := "none"

revision := data.revision.digest

decision := {"breach": breach, "excuse": {x | count(breach) > 0; some f in families; some x in data.covenant[f].excuse}} if {
	breach := {b | some f in families; some b in data.covenant[f].breach}
}

results := [{"id": e.event.id, "breach": d.breach, "excuse": d.excuse} |
	some e in input.batch
	d := decision with input as e
]

batch := {"revision": revision, "results": results}
