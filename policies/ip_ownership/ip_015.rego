package covenant.ip_ownership

# METADATA
# title: Release of work whose ownership is undetermined
# description: Something was released from a repository that company-terms compute was used for, and nobody has determined whose it is.
# custom:
#   code: IP-015
#   clause: P1
#   severity: high
#   respondent: holder
#   discriminator: [event.id]
#   settle: PT72H
#   material: [ccu_u]
#   sentence: >-
#     {holder} ({actor}) released {release} from the repository {repo_name} on {at:time}. {ccu_u:ccu} CCU on company terms
#     had been used for it (grants of {holders:list}), and whose it is hasn't been determined.
breach contains {"code": "IP-015", "evidence": {"ccu_u": ccu_u, "holders": input.facts.exposure.holders}} if {
	input.event.type in {"compute.repository.released.v1"}
	ccu_u := input.facts.exposure.ccu_u
	ccu_u > 0
	input.facts.ownership == "undetermined"
}
