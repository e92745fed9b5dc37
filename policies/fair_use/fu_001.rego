package covenant.fair_use

import data.covenant.lib.approvals

# METADATA
# title: Consumption over the cap
# description: Consumption in the 30 days ending with this usage exceeds the agreement's cap.
# custom:
#   code: FU-001
#   clause: G7
#   severity: high
#   respondent: holder
#   discriminator: [event.month]
#   settle: PT24H
#   material: [cap_u]
#   thresholds: {cap_u: {type: integer, minimum: 0}}
#   sentence: >-
#     {holder} consumed {sum_u:ccu} CCU in the 30 days to {at:time}; the agreement allows {cap_u:ccu}.
breach contains {"code": "FU-001", "evidence": {"sum_u": sum_u, "cap_u": cap_u}} if {
	input.event.type in {"compute.usage.gpu.v1", "compute.usage.inference.v1"}
	sum_u := input.facts.use.ccu_30d_u
	cap_u := data.params[input.ps]["FU-001"].cap_u
	sum_u > cap_u
}

# METADATA
# title: An uplift in force when the usage occurred covers the excess
# custom: {code: FU-001, guard: cap_uplift}
excuse contains {"code": "FU-001", "guard": "cap_uplift", "by": by} if {
	uplifts := approvals.in_force(input.facts.approvals, "cap_uplift", input.event.at)
	input.facts.use.ccu_30d_u <= data.params[input.ps]["FU-001"].cap_u + sum([a.amount_u | some a in uplifts])
	by := {a.id | some a in uplifts}
}
