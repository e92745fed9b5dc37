package covenant.ip_ownership

# METADATA
# title: New version of an agreement not signed
# description: A newer version replaced an agreement, and it hasn't been signed within the time there is for it.
# custom:
#   code: IP-006
#   clause: P1
#   severity: medium
#   respondent: holder
#   discriminator: [event.about]
#   settle: PT24H
#   material: [sent]
#   sentence: >-
#     {holder} had not signed {about} by {at:time}; it has replaced an earlier version since {since:time}. Had it been sent
#     to them? {sent}.
breach contains {"code": "IP-006", "evidence": {"since": input.facts.due.since, "sent": "yes"}} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "reacceptance"
	input.facts.due.met == false
	input.facts.due.sent_at > 0
}

# METADATA
# title: It was never sent, so the breach is the company's
# custom: {code: IP-006, respondent: company}
breach contains {"code": "IP-006", "respondent": "company", "evidence": {"since": input.facts.due.since, "sent": "no"}} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "reacceptance"
	input.facts.due.met == false
	input.facts.due.sent_at == 0
}

# METADATA
# title: The person was on leave when it was due
# custom: {code: IP-006, guard: on_leave}
excuse contains {"code": "IP-006", "guard": "on_leave"} if {
	input.facts.on_leave
}
