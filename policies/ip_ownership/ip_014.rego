package covenant.ip_ownership

import data.covenant.lib.approvals

# METADATA
# title: Licence removed or changed to a listed one
# description: The licence of a repository of the organisation was removed, or changed to one that needs an approval.
# custom:
#   code: IP-014
#   clause: P5
#   severity: medium
#   respondent: holder
#   discriminator: [event.repo]
#   settle: PT1H
#   material: [licence]
#   thresholds: {licences: {type: array, uniqueItems: true, items: {type: string, pattern: "^[a-z0-9.+-]+$"}}}
#   sentence: >-
#     {holder} ({actor}) changed the licence of the repository {repo_name} from {before} to {licence} on {at:time}; no
#     approval of that was in force.
breach contains {"code": "IP-014", "evidence": {"before": input.event.licence_before, "licence": licence}} if {
	input.event.type in {"compute.repository.licence_changed.v1"}
	input.facts.in_org
	licence := input.event.licence
	licence != input.event.licence_before
	licence in ({"none"} | {listed | some listed in data.params[input.ps]["IP-014"].licences})
}

# METADATA
# title: The change had been approved
# custom: {code: IP-014, guard: licence}
excuse contains {"code": "IP-014", "guard": "licence", "by": by} if {
	by := {a.id | some a in approvals.in_force(input.facts.approvals, "licence", input.event.at)}
	count(by) > 0
}
