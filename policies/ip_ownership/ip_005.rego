package covenant.ip_ownership

# METADATA
# title: Assignment of work not signed
# description: Somebody who uses granted compute hasn't signed the assignment of work within the time there is for it.
# custom:
#   code: IP-005
#   clause: P1
#   severity: high
#   respondent: holder
#   discriminator: [event.about]
#   settle: PT24H
#   material: [sent]
#   sentence: >-
#     {holder} has used granted compute and had signed no assignment of work by {at:time}; the time for it ran from
#     {since:time}. Had it been sent to them? {sent}.
breach contains {"code": "IP-005", "evidence": {"since": input.facts.due.since, "sent": "yes"}} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "ip_assignment"
	input.facts.consuming
	input.facts.due.met == false
	input.facts.due.sent_at > 0
}

# METADATA
# title: It was never sent, so the breach is the company's
# custom: {code: IP-005, respondent: company}
breach contains {"code": "IP-005", "respondent": "company", "evidence": {"since": input.facts.due.since, "sent": "no"}} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "ip_assignment"
	input.facts.consuming
	input.facts.due.met == false
	input.facts.due.sent_at == 0
}
