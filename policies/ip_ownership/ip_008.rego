package covenant.ip_ownership

# METADATA
# title: Yearly attestation lapsed
# description: A year after somebody attested a document last, they haven't attested it again.
# custom:
#   code: IP-008
#   clause: P2
#   severity: low
#   respondent: holder
#   discriminator: [event.about]
#   settle: PT24H
#   material: [reminded]
#   sentence: >-
#     {holder} attested {about} last on {since:time} and had not done so again by {at:time}. Had they been reminded?
#     {reminded}.
breach contains {"code": "IP-008", "evidence": {"since": input.facts.due.since, "reminded": "yes"}} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "attestation"
	input.facts.due.met == false
	input.facts.due.asked > 0
}

# METADATA
# title: Nobody reminded them, so the breach is the company's
# custom: {code: IP-008, respondent: company}
breach contains {"code": "IP-008", "respondent": "company", "evidence": {"since": input.facts.due.since, "reminded": "no"}} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "attestation"
	input.facts.due.met == false
	input.facts.due.asked == 0
}
