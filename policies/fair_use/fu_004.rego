package covenant.fair_use

# METADATA
# title: Several people on a personal grant
# description: Several verified people other than the holder used one personal grant within 24 hours.
# custom:
#   code: FU-004
#   clause: G3
#   severity: high
#   respondent: holder
#   discriminator: [event.credential, event.month]
#   settle: PT24H
#   material: [consumers]
#   thresholds: {consumers: {type: integer, minimum: 1}}
#   sentence: >-
#     {consumers} people other than {holder} used the personal grant {grant} in the 24 hours to {at:time}
#     (credential: {credential}); the agreement speaks of sharing from {limit} on.
breach contains {"code": "FU-004", "evidence": {"consumers": consumers, "limit": limit, "grant": input.facts.grant.id}} if {
	input.event.type in {"compute.usage.gpu.v1", "compute.usage.inference.v1"}
	input.event.consumer == "other"
	input.facts.grant.personal
	consumers := input.facts.use.consumers_24h
	limit := data.params[input.ps]["FU-004"].consumers
	consumers >= limit
}
