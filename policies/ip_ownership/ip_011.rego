package covenant.ip_ownership

import data.covenant.lib.approvals

# METADATA
# title: Unusual downloads before leaving
# description: Somebody on notice reads a private repository of the organisation far more often than they used to.
# custom:
#   code: IP-011
#   clause: P4
#   severity: critical
#   respondent: holder
#   discriminator: [event.repo, event.month]
#   settle: PT72H
#   material: [downloads, usual]
#   thresholds:
#     k: {type: integer, minimum: 1}
#     floor: {type: integer, minimum: 1}
#     windows: {type: integer, minimum: 1, maximum: 3}
#   sentence: >-
#     {holder}, on notice, read the private repository {repo_name} {downloads} times in the thirty days to {at:time}; the
#     median of the thirty-day windows before was {usual}, and more than {k} times as often is asked about.
breach contains {"code": "IP-011", "evidence": {"downloads": downloads, "usual": usual, "k": k}} if {
	input.event.type in {"compute.contribution.attributed.v1", "compute.contribution.reviewed.v1"}
	input.event.action == "downloaded"
	input.event.in_org
	input.event.private
	input.facts.exit.state == "notice"
	input.facts.downloads.windows >= data.params[input.ps]["IP-011"].windows
	downloads := input.facts.downloads.window
	usual := input.facts.downloads.usual
	downloads >= data.params[input.ps]["IP-011"].floor
	k := data.params[input.ps]["IP-011"].k
	downloads > k * usual
}

# METADATA
# title: A handover of the repository was agreed and goes on
# custom: {code: IP-011, guard: handover}
excuse contains {"code": "IP-011", "guard": "handover"} if input.facts.handover == "agreed"

# METADATA
# title: A handover was approved and the approval is in force
# custom: {code: IP-011, guard: handover_approved}
excuse contains {"code": "IP-011", "guard": "handover_approved", "by": by} if {
	by := {a.id | some a in approvals.in_force(input.facts.approvals, "handover", input.event.at)}
	count(by) > 0
}
