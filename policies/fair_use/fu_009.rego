package covenant.fair_use

# METADATA
# title: Usage that no grant covers
# description: A day after compute was used, no grant of its holder's covers it.
# custom:
#   code: FU-009
#   clause: G2
#   severity: medium
#   respondent: holder
#   discriminator: [event.credential, event.day]
#   settle: PT24H
#   material: [usage]
#   sentence: >-
#     {holder} used compute on {used_at:time} (credential: {credential}) that no grant covers, nor was one recorded for
#     it until {at:time}.
breach contains {"code": "FU-009", "evidence": {"usage": input.facts.due.about, "used_at": input.facts.due.since}} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "usage_uncovered"
	input.facts.due.met == false
}
