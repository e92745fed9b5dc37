package covenant.fair_use

# METADATA
# title: Interactive use around the clock
# description: On most days of a week interactive use went on for more hours than one person is awake.
# custom:
#   code: FU-005
#   clause: G3
#   severity: medium
#   respondent: holder
#   discriminator: [event.week]
#   asserted: [event.interactive]
#   settle: PT24H
#   material: [days]
#   thresholds: {hours: {type: integer, minimum: 1, maximum: 24}, days: {type: integer, minimum: 1, maximum: 7}}
#   sentence: >-
#     On {days} of the 7 days to {at:time}, {holder}'s keys were used interactively in at least {hours} different hours.
breach contains {"code": "FU-005", "evidence": {"days": days, "hours": hours}} if {
	input.event.type in {"compute.usage.inference.v1"}
	input.event.interactive == "yes"
	hours := data.params[input.ps]["FU-005"].hours
	days := count([seen | some seen in input.facts.use.day_hours; seen >= hours])
	days >= data.params[input.ps]["FU-005"].days
}
