package covenant.ip_ownership

# METADATA
# title: Commits under names that aren't the sender's
# description: A push into the organisation carries authors whose address isn't verified to be the sender's.
# custom:
#   code: IP-013
#   clause: P1
#   severity: low
#   respondent: nobody
#   discriminator: [event.repo, event.month]
#   settle: PT72H
#   asserted: [event.authors]
#   thresholds:
#     bots: {type: array, uniqueItems: true, items: {type: string}}
#   sentence: >-
#     A push to {repo_name} on {at:time} carries commits of {foreign} authors whose names aren't verified to be the sender's.
breach contains {"code": "IP-013", "evidence": {"foreign": foreign}} if {
	input.event.type in {"compute.contribution.attributed.v1"}
	input.event.action == "pushed"
	input.event.in_org
	foreign := count(input.facts.authorship.foreign)
	foreign > 0
}

# METADATA
# title: The sender committed all of it, as one who rebases another's work does
# custom: {code: IP-013, guard: rebase}
excuse contains {"code": "IP-013", "guard": "rebase"} if input.facts.authorship.committed

# METADATA
# title: The commits name the sender as a co-author
# custom: {code: IP-013, guard: coauthor}
excuse contains {"code": "IP-013", "guard": "coauthor"} if input.facts.authorship.coauthor

# METADATA
# title: Nobody but bots, by their host's word or the organisation's list, wrote the rest
# custom: {code: IP-013, guard: bot}
excuse contains {"code": "IP-013", "guard": "bot"} if {
	count(input.facts.authorship.foreign) > 0
	people := {author | some author in input.facts.authorship.foreign} - {bot | some bot in input.facts.authorship.bots}
	count(people - {bot | some bot in data.params[input.ps]["IP-013"].bots}) == 0
}
