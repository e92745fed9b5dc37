package covenant.ip_ownership

import data.covenant.lib.approvals

# METADATA
# title: Repository transferred out
# description: A repository of the organisation was transferred to an owner outside it.
# custom:
#   code: IP-003
#   clause: P1
#   severity: critical
#   respondent: holder
#   discriminator: [event.id]
#   settle: PT1H
#   material: [to_owner]
#   sentence: >-
#     {holder} ({actor}) transferred the repository {repo_name} to {to_owner}, outside the organisation, on {at:time}.
breach contains {"code": "IP-003", "evidence": {"to_owner": input.event.to_owner, "repo": input.facts.repo}} if {
	input.event.type in {"compute.repository.transferred.v1"}
	input.facts.in_org
	input.event.to_in_org == false
}

# METADATA
# title: The divestiture had been approved
# custom: {code: IP-003, guard: divestiture}
excuse contains {"code": "IP-003", "guard": "divestiture", "by": by} if {
	by := {a.id | some a in approvals.in_force(input.facts.approvals, "divestiture", input.event.at)}
	count(by) > 0
}
