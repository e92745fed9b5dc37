package covenant.ip_ownership

# METADATA
# title: Outside work that wasn't disclosed
# description: Somebody who uses granted compute pushes again and again to a repository outside the organisation, and hasn't disclosed it.
# custom:
#   code: IP-007
#   clause: P2
#   severity: medium
#   respondent: holder
#   discriminator: [event.repo]
#   settle: PT72H
#   material: [pushes]
#   thresholds:
#     pushes: {type: integer, minimum: 1}
#     trivial_commits: {type: integer, minimum: 0}
#     open_source: {type: array, uniqueItems: true, items: {type: string}}
#   sentence: >-
#     {holder} pushed {pushes} times to {repo_name}, outside the organisation, in the thirty days to {at:time}, and used
#     granted compute in them. No disclosure of it is recorded.
breach contains {"code": "IP-007", "evidence": {"pushes": pushes, "commits": input.facts.outside.commits_30d}} if {
	input.event.type in {"compute.contribution.attributed.v1"}
	input.event.action == "pushed"
	input.event.in_org == false
	input.facts.outside.granted
	pushes := input.facts.outside.pushes_30d
	pushes >= data.params[input.ps]["IP-007"].pushes
}

# METADATA
# title: The repository was disclosed, or a disclosure that names none may be about it
# custom: {code: IP-007, guard: disclosed}
excuse contains {"code": "IP-007", "guard": "disclosed"} if {
	input.facts.outside.disclosure in {"made", "unnamed"}
}

# METADATA
# title: It is open source that the organisation lists
# custom: {code: IP-007, guard: open_source}
excuse contains {"code": "IP-007", "guard": "open_source"} if {
	input.event.repo in data.params[input.ps]["IP-007"].open_source
}

# METADATA
# title: There is so little of it that it doesn't matter
# custom: {code: IP-007, guard: trivial}
excuse contains {"code": "IP-007", "guard": "trivial"} if {
	input.facts.outside.commits_30d <= data.params[input.ps]["IP-007"].trivial_commits
}

# METADATA
# title: "IP-017: own time, unrelated, and no company-terms compute tied to this repository"
# custom: {code: IP-007, guard: IP-017}
excuse contains {"code": "IP-007", "guard": "IP-017"} if {
	input.facts.outside.own_time == "yes"
	input.facts.outside.related == "unrelated"
	input.facts.outside.company_link == false
}
