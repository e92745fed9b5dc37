package covenant.fair_use

# METADATA
# title: Unspent grant about to expire, and its holder not told
# description: A month before a grant expires much of it is unspent, and no notice of the expiry was given.
# custom:
#   code: FU-016
#   clause: G5
#   severity: low
#   respondent: company
#   discriminator: [event.about]
#   settle: PT24H
#   material: [unspent_u]
#   thresholds: {floor_u: {type: integer, minimum: 0}, ppm: {type: integer, minimum: 0, maximum: 1000000}}
#   sentence: >-
#     {unspent_u:ccu} units of the grant {grant} of {holder} were unspent on {at:time}; it expires on {until:time},
#     and no notice of that was given.
breach contains {"code": "FU-016", "evidence": evidence} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "grant_expiring"
	input.facts.due.met == false
	input.facts.grant.unspent_u >= data.params[input.ps]["FU-016"].floor_u
	input.facts.grant.unspent_ppm >= data.params[input.ps]["FU-016"].ppm
	evidence := {"grant": input.facts.grant.id, "until": input.facts.grant.until, "unspent_u": input.facts.grant.unspent_u}
}

# METADATA
# title: The holder was on leave, which stops the clock
# custom: {code: FU-016, guard: on_leave}
excuse contains {"code": "FU-016", "guard": "on_leave"} if input.facts.on_leave
