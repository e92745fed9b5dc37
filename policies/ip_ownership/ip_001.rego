package covenant.ip_ownership

# METADATA
# title: Company-terms compute linked to an outside push
# description: Compute granted on company terms is tied by several traces to a push outside the organisation by the same verified person.
# custom:
#   code: IP-001
#   clause: P1
#   severity: high
#   respondent: holder
#   discriminator: [event.repo]
#   settle: PT72H
#   material: [grant, by]
#   thresholds: {links: {type: integer, minimum: 1, maximum: 4}}
#   sentence: >-
#     {holder} pushed {commits} commits to {repo_name}, outside the organisation, on {at:time};
#     the usage {usage} of {linked_at:time} under the company-terms grant {grant} is tied to that push by {by:list}.
breach contains {"code": "IP-001", "evidence": evidence} if {
	input.event.type in {"compute.contribution.attributed.v1"}
	input.event.action == "pushed"
	input.event.in_org == false
	some link in input.facts.links
	link.ip_terms == "company"
	by := {b | some b in link.by}
	count(by) >= data.params[input.ps]["IP-001"].links
	evidence := {"usage": link.usage, "grant": link.grant, "linked_at": link.at, "by": by}
}

# METADATA
# title: The work was declared as a prior invention
# custom: {code: IP-001, guard: prior_invention}
excuse contains {"code": "IP-001", "guard": "prior_invention"} if {
	input.facts.prior_invention
}

# METADATA
# title: A determination says that the repository is the holder's, wholly or in part, or unrelated
# custom: {code: IP-001, guard: determination}
excuse contains {"code": "IP-001", "guard": "determination"} if {
	input.facts.determination in {"holder", "shared", "unrelated"}
}
