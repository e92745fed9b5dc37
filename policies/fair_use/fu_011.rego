package covenant.fair_use

# METADATA
# title: Use from a prohibited country
# description: Granted compute was used from a country that the acceptable-use policy rules out.
# custom:
#   code: FU-011
#   clause: A
#   severity: critical
#   respondent: holder
#   discriminator: [event.credential, event.region, event.month]
#   asserted: [event.region]
#   settle: PT24H
#   material: [region]
#   thresholds: {regions: {type: array, items: {type: string, minLength: 2}}}
#   sentence: >-
#     Compute granted to {holder} was used from {region} on {at:time} (credential: {credential}), as its source says.
breach contains {"code": "FU-011", "evidence": {"region": region}} if {
	input.event.type in {"compute.usage.gpu.v1", "compute.usage.inference.v1"}
	region := input.event.region
	region in data.params[input.ps]["FU-011"].regions
}

# METADATA
# title: The person was recorded to be travelling there
# custom: {code: FU-011, guard: travel_recorded}
excuse contains {"code": "FU-011", "guard": "travel_recorded"} if input.event.region in input.facts.travel
