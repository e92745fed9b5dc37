package covenant.fair_use

# METADATA
# title: Usage on a grant that had lapsed
# description: Granted compute was used while its grant was expired, voided or suspended.
# custom:
#   code: FU-008
#   clause: G5
#   severity: high
#   respondent: holder
#   discriminator: [event.credential, event.month]
#   settle: PT24H
#   material: [grant, why]
#   sentence: >-
#     Compute granted to {holder} was used on {at:time} (credential: {credential}); the grant {grant} was {why} then.
breach contains {"code": "FU-008", "evidence": {"grant": input.facts.grant.id, "why": why}} if {
	input.event.type in {"compute.usage.gpu.v1", "compute.usage.inference.v1"}
	why := input.facts.coverage
	why in {"expired", "suspended", "voided"}
}
