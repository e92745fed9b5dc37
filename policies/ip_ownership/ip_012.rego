package covenant.ip_ownership

# METADATA
# title: Access to a private repository after exit
# description: A person acted in a private repository of the organisation after their exit and the days the company has to withdraw access.
# custom:
#   code: IP-012
#   clause: P4
#   severity: critical
#   respondent: holder
#   discriminator: [event.repo]
#   settle: PT24H
#   material: [ended_at]
#   thresholds: {grace_us: {type: integer, minimum: 0}}
#   sentence: >-
#     {holder} acted ({action}) in the private repository {repo_name} on {at:time}; the engagement had ended on
#     {ended_at:time}, and the company has {grace_us:duration} to withdraw access.
breach contains {"code": "IP-012", "evidence": {"action": input.event.action, "ended_at": ended_at, "grace_us": grace_us}} if {
	input.event.type in {"compute.contribution.attributed.v1"}
	input.event.in_org
	input.event.private
	input.facts.exit.state == "ended"
	ended_at := input.facts.exit.ended_at
	grace_us := data.params[input.ps]["IP-012"].grace_us
	input.event.at > ended_at + grace_us
}
