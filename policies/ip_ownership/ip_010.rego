package covenant.ip_ownership

# METADATA
# title: Membership in a competitor's organisation
# description: A holder of a grant belongs to an organisation that the company lists as a competitor's, by their own word or that organisation's.
# custom:
#   code: IP-010
#   clause: P6
#   severity: low
#   respondent: holder
#   discriminator: [event.member_of]
#   settle: PT72H
#   record: true
#   material: [member_of]
#   thresholds:
#     organisations: {type: array, uniqueItems: true, items: {type: string}}
#   sentence: >-
#     {holder} was recorded on {at:time} as a member of {member_of}, which the organisation lists as a competitor's ({basis}),
#     while holding a grant.
breach contains {"code": "IP-010", "evidence": {"member_of": input.event.member_of, "basis": input.event.basis}} if {
	input.event.type in {"compute.person.membership_recorded.v1"}
	input.event.member_of in data.params[input.ps]["IP-010"].organisations
	input.facts.membership == "current"
	input.facts.grant_holder
	input.facts.exit.state in {"none", "notice"}
}
