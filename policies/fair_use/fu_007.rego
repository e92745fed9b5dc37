package covenant.fair_use

# METADATA
# title: Usage after access ended
# description: Granted compute was used after the holder's access, its termination window included, had ended.
# custom:
#   code: FU-007
#   clause: G6
#   severity: critical
#   respondent: holder
#   discriminator: [event.credential, event.month]
#   settle: PT24H
#   material: [access_until]
#   sentence: >-
#     Compute granted to {holder} was used on {at:time} (credential: {credential}); access had ended on
#     {access_until:time}.
breach contains {"code": "FU-007", "evidence": {"access_until": input.facts.access_until, "grant": input.facts.grant.id}} if {
	input.event.type in {"compute.usage.gpu.v1", "compute.usage.inference.v1"}
	input.facts.coverage == "access_ended"
}

# METADATA
# title: The usage belongs to a job that had started before access ended
# custom: {code: FU-007, guard: job_started_before}
excuse contains {"code": "FU-007", "guard": "job_started_before"} if {
	input.facts.job.state == "started"
	input.facts.job.started <= input.facts.access_until
}
