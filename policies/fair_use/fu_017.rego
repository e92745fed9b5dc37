package covenant.fair_use

import data.covenant.lib.approvals

# METADATA
# title: More granted than the plan holds
# description: The grants made from a pool come to more than its plan.
# custom:
#   code: FU-017
#   clause: G2
#   severity: high
#   respondent: company
#   discriminator: [event.month]
#   settle: PT24H
#   material: [plan_u]
#   sentence: >-
#     The grants made from the pool {pool} came to {committed_u:ccu} units on {at:time}; its plan holds {plan_u:ccu}.
breach contains {"code": "FU-017", "evidence": evidence} if {
	input.event.type in {"compute.pool.committed.v1", "compute.pool.planned.v1", "compute.pool.resized.v1"}
	input.facts.plan == "units"
	input.facts.committed_u > input.facts.plan_u
	evidence := {"pool": input.facts.pool, "committed_u": input.facts.committed_u, "plan_u": input.facts.plan_u}
}

# METADATA
# title: The board had approved going over the plan
# custom: {code: FU-017, guard: board_approval}
excuse contains {"code": "FU-017", "guard": "board_approval", "by": by} if {
	by := {a.id | some a in approvals.in_force(input.facts.approvals, "board", input.event.at)}
	count(by) > 0
}
