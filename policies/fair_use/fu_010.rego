package covenant.fair_use

import data.covenant.lib.filters

# METADATA
# title: Outside the grant's filters
# description: Granted compute was used with a model or provider that the grant doesn't permit.
# custom:
#   code: FU-010
#   clause: G4
#   severity: medium
#   respondent: holder
#   discriminator: [event.credential, event.provider, event.model, event.month]
#   settle: PT24H
#   material: [model, provider, grant]
#   thresholds:
#     aliases: {type: object, additionalProperties: {type: array, items: {type: string, minLength: 1}}}
#   sentence: >-
#     {holder} used {model} of {provider} on {at:time}; the grant {grant} permits these models:
#     {facts.grant.models:permitted}; and these providers: {facts.grant.providers:permitted}.
breach contains {"code": "FU-010", "evidence": evidence} if {
	input.event.type in {"compute.usage.gpu.v1", "compute.usage.inference.v1"}
	input.facts.coverage == "filtered"
	evidence := {"model": input.event.model, "provider": input.event.provider, "grant": input.facts.grant.id}
}

# METADATA
# title: The model is another name of one that a grant in force permits, and so is its provider permitted
# custom: {code: FU-010, guard: alias}
excuse contains {"code": "FU-010", "guard": "alias"} if {
	some canonical in data.params[input.ps]["FU-010"].aliases[input.event.model]
	some grant in input.facts.filters
	canonical in grant.models
	filters.permits(grant.providers, input.event.provider)
}
