package covenant.ip_ownership

# METADATA
# title: Disclosure not decided in time
# description: The company hasn't decided on a person's disclosure within the time it gives itself.
# custom:
#   code: IP-009
#   clause: P2
#   severity: medium
#   respondent: company
#   discriminator: [event.about]
#   settle: PT24H
#   material: [submitted_at]
#   sentence: >-
#     The disclosure {about} of {facts.holder}, submitted on {submitted_at:time}, had not been decided by {at:time}.
breach contains {"code": "IP-009", "evidence": {"submitted_at": input.facts.due.sent_at}} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "disclosure_decision"
	input.facts.due.met == false
}
