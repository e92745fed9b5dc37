package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_003_at_once(networks) := {{"code": "FU-003", "evidence": {"networks": networks, "count": count(networks)}}}

fu_003_listed := {{"code": "FU-003", "guard": "listed_network"}}

# The fixture: three networks are where the rule begins; AS64512 and 198.51.100.0/24 are listed.
# Each case: the sets of networks met, what else changes, breach, excuse.
fu_003_cases := {
	"two": [[["AS1", "AS2"]], {}, set(), set()],
	"three": [[["AS1", "AS2", "AS3"]], {}, fu_003_at_once(["AS1", "AS2", "AS3"]), set()],
	"four": [[["AS1", "AS2", "AS3", "AS4"]], {}, fu_003_at_once(["AS1", "AS2", "AS3", "AS4"]), set()],
	"two and another two, not all at once": [[["AS1", "AS2"], ["AS1", "AS3"]], {}, set(), set()],
	"three, one of them listed": [[["AS1", "AS2", "AS64512"]], {}, fu_003_at_once(["AS1", "AS2", "AS64512"]), fu_003_listed],
	"four, one of them listed": [[["AS1", "AS2", "AS3", "AS64512"]], {}, fu_003_at_once(["AS1", "AS2", "AS3", "AS64512"]), set()],
	"five, two of them listed": [
		[["198.51.100.0/24", "AS1", "AS2", "AS3", "AS64512"]], {},
		fu_003_at_once(["198.51.100.0/24", "AS1", "AS2", "AS3", "AS64512"]), set(),
	],
	"no network is asserted": [[], {"/event/network": "none"}, set(), set()],
	"GPU time is out": [[["AS1", "AS2", "AS3"]], {"/event/type": "compute.usage.gpu.v1"}, set(), set()],
}

test_fu_003[case] if {
	some case, [networks, changes, breach, excuse] in fu_003_cases
	doc := testing.with_facts("usage", object.union({"/facts/use/networks": networks}, changes))
	testing.only("FU-003", fair_use.breach) == breach with input as doc
	testing.only("FU-003", fair_use.excuse) == excuse with input as doc
}

# One instant may be excused by a list while another isn't: then nothing excuses.
test_fu_003_excuses_only_where_no_instant_is_left if {
	doc := testing.with_facts("usage", {"/facts/use/networks": [["AS1", "AS2", "AS3"], ["AS1", "AS2", "AS64512"]]})
	testing.only("FU-003", fair_use.excuse) == set() with input as doc
}

# What isn't known is a path that isn't there.
test_fu_003_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/use/networks"]
	doc := testing.without(testing.with_facts("usage", {"/facts/use/networks": [["AS1", "AS2", "AS64512"]]}), path)
	testing.only("FU-003", fair_use.breach) == set() with input as doc
	testing.only("FU-003", fair_use.excuse) == set() with input as doc
}
