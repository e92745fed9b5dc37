package covenant.fair_use

# METADATA
# title: Held GPUs left idle
# description: In seven days most of the GPU time a person held was idle.
# custom:
#   code: FU-012
#   clause: A
#   severity: low
#   respondent: holder
#   discriminator: [event.week]
#   asserted: [event.utilisation]
#   settle: PT24H
#   material: [idle_s]
#   thresholds: {ppm: {type: integer, minimum: 0, maximum: 1000000}, floor_s: {type: integer, minimum: 0}}
#   sentence: >-
#     Of the {held_s} GPU-seconds that {holder} held in the 7 days to {at:time}, {idle_s} were idle.
breach contains {"code": "FU-012", "evidence": {"idle_s": idle_s, "held_s": held_s}} if {
	input.event.type in {"compute.usage.gpu.v1"}
	input.event.utilisation == "device"
	idle_s := input.facts.use.gpu_idle_s_7d
	held_s := input.facts.use.gpu_s_7d
	idle_s > data.params[input.ps]["FU-012"].floor_s
	idle_s * 1000000 > data.params[input.ps]["FU-012"].ppm * held_s
}
