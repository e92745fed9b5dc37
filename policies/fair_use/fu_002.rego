package covenant.fair_use

# METADATA
# title: A burst far above one's own habit
# description: Consumption in one clock hour is many times what the holder's busiest hours of four weeks came to.
# custom:
#   code: FU-002
#   clause: A
#   severity: medium
#   respondent: holder
#   discriminator: [event.month]
#   settle: PT24H
#   material: [usual_u]
#   thresholds: {k: {type: integer, minimum: 1}, floor_u: {type: integer, minimum: 0}, hours_min: {type: integer, minimum: 1}}
#   sentence: >-
#     {holder} consumed {hour_u:ccu} CCU in the clock hour of {at:time}; in 95 of 100 of the {hours} hours with any
#     consumption in the 28 days before it was {usual_u:ccu} or less.
breach contains {"code": "FU-002", "evidence": {"hour_u": hour_u, "usual_u": usual_u, "hours": hours}} if {
	input.event.type in {"compute.usage.gpu.v1", "compute.usage.inference.v1"}
	hours := input.facts.use.hours_28d
	hours >= data.params[input.ps]["FU-002"].hours_min
	hour_u := input.facts.use.ccu_1h_u
	usual_u := input.facts.use.p95_1h_28d_u
	hour_u > data.params[input.ps]["FU-002"].k * usual_u
	hour_u > data.params[input.ps]["FU-002"].floor_u
}

# METADATA
# title: The calendar of launches says that more is used then
# custom: {code: FU-002, guard: launch}
excuse contains {"code": "FU-002", "guard": "launch", "by": by} if {
	by := {id | some id in input.facts.launches}
	count(by) > 0
}
