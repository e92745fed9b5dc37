package covenant.fair_use

import data.covenant.lib.approvals

# METADATA
# title: Transfer without a prior approval
# description: A grant was transferred and no approval of the transfer had been decided before it.
# custom:
#   code: FU-006
#   clause: G3
#   severity: critical
#   respondent: holder
#   discriminator: [event.id]
#   settle: PT1H
#   material: [grant, to, approval]
#   sentence: >-
#     {holder} transferred the grant {grant} to {to} on {at:time}; no approval had been decided before that.
breach contains {"code": "FU-006", "evidence": {"grant": input.event.grant, "to": input.event.to, "approval": approval}} if {
	input.event.type in {"compute.grant.transferred.v1"}
	approval := input.facts.transfer.approval
	approval in {"late", "none"}
}

# METADATA
# title: An approval decided after the transfer covers the instant of the transfer
# custom: {code: FU-006, guard: approved_late}
excuse contains {"code": "FU-006", "guard": "approved_late", "by": by} if {
	input.facts.transfer.approval == "late"
	by := {a.id |
		some a in approvals.in_force(input.facts.approvals, "transfer", input.event.at)
		a.decided > input.event.at
	}
	count(by) > 0
}
