package covenant.fair_use

# METADATA
# title: One key on several networks at once
# description: At one instant a key was in use on several networks.
# custom:
#   code: FU-003
#   clause: G8
#   severity: high
#   respondent: holder
#   discriminator: [event.credential, event.month]
#   asserted: [event.network]
#   settle: PT24H
#   material: [networks]
#   thresholds:
#     nets: {type: integer, minimum: 2}
#     listed: {type: array, items: {type: string, minLength: 1}}
#   sentence: >-
#     The key {credential} of {holder} was in use on {count} networks at once about {at:time}: {networks:list}.
breach contains {"code": "FU-003", "evidence": {"networks": networks, "count": count(networks)}} if {
	input.event.type in {"compute.usage.inference.v1"}
	some networks in input.facts.use.networks
	count(networks) >= data.params[input.ps]["FU-003"].nets
}

# METADATA
# title: Without the listed networks (VPN, NAT, build machines) too few are left
# custom: {code: FU-003, guard: listed_network}
excuse contains {"code": "FU-003", "guard": "listed_network"} if {
	listed := {name | some name in data.params[input.ps]["FU-003"].listed}
	limit := data.params[input.ps]["FU-003"].nets
	at_once := [networks | some networks in input.facts.use.networks; count(networks) >= limit]
	max([count({name | some name in networks} - listed) | some networks in at_once]) < limit
}
