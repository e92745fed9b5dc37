package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_013_of(foreign) := {{"code": "IP-013", "evidence": {"foreign": foreign}}}

ip_013_by(guard) := {{"code": "IP-013", "guard": guard}}

dependabot := "49699333+dependabot[bot]@users.noreply.github.com"

# A push into the organisation by somebody who neither committed nor co-wrote it. Each case: foreign authors, those of
# them that are bots, what else changes, breach, excuse.
ip_013_cases := {
	"one author": [["eve@elsewhere.example"], [], {}, ip_013_of(1), set()],
	"two authors": [["bo@elsewhere.example", "eve@elsewhere.example"], [], {}, ip_013_of(2), set()],
	"rebased": [["eve@elsewhere.example"], [], {"/facts/authorship/committed": true}, ip_013_of(1), ip_013_by("rebase")],
	"written together": [["eve@elsewhere.example"], [], {"/facts/authorship/coauthor": true}, ip_013_of(1), ip_013_by("coauthor")],
	"a bot by its host's word": [[dependabot], [dependabot], {}, ip_013_of(1), ip_013_by("bot")],
	"a bot that is listed": [["noreply@github.com"], [], {}, ip_013_of(1), ip_013_by("bot")],
	"bots of both kinds": [["noreply@github.com", dependabot], [dependabot], {}, ip_013_of(2), ip_013_by("bot")],
	"a bot and a person": [["eve@elsewhere.example", dependabot], [dependabot], {}, ip_013_of(2), set()],
	"outside the organisation": [["eve@elsewhere.example"], [], {"/event/in_org": false}, set(), set()],
	"not a push": [["eve@elsewhere.example"], [], {"/event/action": "downloaded"}, set(), set()],
	"not a contribution": [["eve@elsewhere.example"], [], {"/event/type": "compute.usage.gpu.v1"}, set(), set()],
}

ip_013_doc(foreign, bots, changes) := testing.with_facts("contribution", object.union(
	{"/event/in_org": true, "/facts/authorship/foreign": foreign, "/facts/authorship/bots": bots},
	changes,
))

test_ip_013[case] if {
	some case, [foreign, bots, changes, breach, excuse] in ip_013_cases
	doc := ip_013_doc(foreign, bots, changes)
	testing.only("IP-013", ip_ownership.breach) == breach with input as doc
	testing.only("IP-013", ip_ownership.excuse) == excuse with input as doc
}

test_ip_013_of_ones_own_work if {
	testing.only("IP-013", ip_ownership.excuse) == set() with input as ip_013_doc([], [], {})
	testing.only("IP-013", ip_ownership.breach) == set() with input as ip_013_doc([], [], {})
}

test_ip_013_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/authorship", "/event/in_org"]
	doc := testing.without(ip_013_doc(["eve@elsewhere.example"], [], {}), path)
	testing.only("IP-013", ip_ownership.breach) == set() with input as doc
}
