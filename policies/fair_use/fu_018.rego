package covenant.fair_use

# METADATA
# title: A pool that leans on one provider
# description: One provider's share of what was drawn from a pool in 90 days exceeds what the organisation set itself.
# custom:
#   code: FU-018
#   clause: G4
#   severity: low
#   respondent: company
#   discriminator: [event.month]
#   settle: PT24H
#   material: [provider]
#   thresholds: {floor_u: {type: integer, minimum: 1}, ppm: {type: integer, minimum: 0, maximum: 1000000}}
#   sentence: >-
#     Of the {spent_u:ccu} units drawn from the pool {pool} in the 90 days to {at:time}, {share_ppm} millionths were
#     drawn of {provider}; the organisation set itself {limit_ppm}.
breach contains {"code": "FU-018", "evidence": evidence} if {
	input.event.type in {"compute.pool.drawn.v1"}
	spent_u := input.facts.spend_90d_u
	share_ppm := input.facts.top_provider_ppm
	limit_ppm := data.params[input.ps]["FU-018"].ppm
	spent_u >= data.params[input.ps]["FU-018"].floor_u
	share_ppm > limit_ppm
	evidence := {
		"pool": input.facts.pool,
		"provider": input.facts.top_provider,
		"spent_u": spent_u,
		"share_ppm": share_ppm,
		"limit_ppm": limit_ppm,
	}
}
