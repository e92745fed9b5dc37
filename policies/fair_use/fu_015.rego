package covenant.fair_use

# METADATA
# title: Prohibited workload
# description: Granted compute was used for a workload that the acceptable-use policy rules out.
# custom:
#   code: FU-015
#   clause: A
#   severity: critical
#   respondent: holder
#   discriminator: [event.credential, event.tag, event.month]
#   asserted: [event.tag]
#   settle: PT24H
#   material: [tag]
#   thresholds: {tags: {type: array, items: {type: string, minLength: 1}}}
#   sentence: >-
#     Compute granted to {holder} was used on {at:time} (credential: {credential}) for what was tagged {tag}.
breach contains {"code": "FU-015", "evidence": {"tag": tag}} if {
	input.event.type in {"compute.usage.gpu.v1", "compute.usage.inference.v1"}
	tag := input.event.tag
	tag in data.params[input.ps]["FU-015"].tags
}

# METADATA
# title: A person determined that the workload isn't what its tag says
# custom: {code: FU-015, guard: determined}
excuse contains {"code": "FU-015", "guard": "determined"} if input.facts.workload == "cleared"
