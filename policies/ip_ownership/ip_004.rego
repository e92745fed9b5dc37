package covenant.ip_ownership

import data.covenant.lib.approvals

# METADATA
# title: Private repository forked to a person
# description: A private repository of the organisation was forked to a personal account outside it.
# custom:
#   code: IP-004
#   clause: P4
#   severity: high
#   respondent: holder
#   discriminator: [event.id]
#   settle: PT1H
#   material: [to_owner]
#   sentence: >-
#     {holder} ({actor}) forked the private repository {repo_name} to the personal account {to_owner} on {at:time}.
breach contains {"code": "IP-004", "evidence": {"to_owner": input.event.to_owner, "repo": input.facts.repo}} if {
	input.event.type in {"compute.repository.forked.v1"}
	input.facts.was_private
	input.facts.in_org
	input.event.to_owner_kind == "user"
	input.event.to_in_org == false
}

# METADATA
# title: The fork had been approved
# custom: {code: IP-004, guard: fork}
excuse contains {"code": "IP-004", "guard": "fork", "by": by} if {
	by := {a.id | some a in approvals.in_force(input.facts.approvals, "fork", input.event.at)}
	count(by) > 0
}
