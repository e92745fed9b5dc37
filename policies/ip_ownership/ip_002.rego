package covenant.ip_ownership

import data.covenant.lib.approvals

# METADATA
# title: Private repository made public
# description: A private repository of the organisation became public, and no approval of its release was in force then or soon after.
# custom:
#   code: IP-002
#   clause: P5
#   severity: critical
#   respondent: holder
#   discriminator: [event.repo]
#   settle: PT1H
#   material: [published_at]
#   sentence: >-
#     {holder} ({actor}) made the private repository {repo_name} public on {published_at:time}; until {at:time} no approval
#     of its release had been in force.
breach contains {"code": "IP-002", "evidence": {"published_at": input.facts.published_at, "repo": input.facts.repo}} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "release_approval"
	input.facts.was_private
	input.facts.in_org
}

# METADATA
# title: The release had been approved, or was within the time there is for it
# custom: {code: IP-002, guard: release}
excuse contains {"code": "IP-002", "guard": "release", "by": by} if {
	held := approvals.in_force_within(input.facts.approvals, "release", input.facts.published_at, input.event.at)
	by := {a.id | some a in held}
	count(by) > 0
}
