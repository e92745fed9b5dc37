package covenant.fair_use

# METADATA
# title: More than one's share of a busy cluster
# description: In the hours of a month in which a cluster was nearly all drawn, one holder drew more than their share.
# custom:
#   code: FU-019
#   clause: G7
#   severity: medium
#   respondent: holder
#   discriminator: [event.holder, event.month]
#   settle: PT24H
#   material: [limit_ppm]
#   thresholds: {ppm: {type: integer, minimum: 0, maximum: 1000000}, hours: {type: integer, minimum: 1}}
#   sentence: >-
#     In the {hours} hours of {month} in which the cluster {pool} was nearly all drawn, {holder} drew {drawn_gpu_s} of its
#     {capacity_gpu_s} GPU-seconds; the agreed share is {limit_ppm} millionths.
breach contains {"code": "FU-019", "evidence": evidence} if {
	input.event.type in {"compute.pool.drawn.v1"}
	hours := input.facts.contended_hours
	hours >= data.params[input.ps]["FU-019"].hours
	drawn_gpu_s := input.facts.holder_contended_gpu_s
	capacity_gpu_s := input.facts.contended_capacity_gpu_s
	limit_ppm := data.params[input.ps]["FU-019"].ppm
	drawn_gpu_s * 1000000 > limit_ppm * capacity_gpu_s
	evidence := {
		"pool": input.facts.pool,
		"hours": hours,
		"drawn_gpu_s": drawn_gpu_s,
		"capacity_gpu_s": capacity_gpu_s,
		"limit_ppm": limit_ppm,
	}
}
