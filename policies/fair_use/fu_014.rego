package covenant.fair_use

# METADATA
# title: Tokens counted at zero cost
# description: A usage has tokens and consumed no units.
# custom:
#   code: FU-014
#   clause: G2
#   severity: low
#   respondent: nobody
#   discriminator: [event.provider, event.model, event.month]
#   settle: PT24H
#   thresholds: {tokens: {type: integer, minimum: 1}}
#   sentence: >-
#     {tokens} tokens of {model} of {provider} were counted on {at:time} and came to no units.
breach contains {"code": "FU-014", "evidence": {"tokens": tokens}} if {
	input.event.type in {"compute.usage.inference.v1"}
	tokens := input.event.tokens
	tokens >= data.params[input.ps]["FU-014"].tokens
	input.event.ccu_u == 0
}

# METADATA
# title: The source says that it costs nothing
# custom: {code: FU-014, guard: free}
excuse contains {"code": "FU-014", "guard": "free"} if input.event.free
