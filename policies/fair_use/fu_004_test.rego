package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_004_shared(consumers) := {{"code": "FU-004", "evidence": {"consumers": consumers, "limit": 3, "grant": "G1"}}}

# The fixture: a personal grant, one consumer; used by another, sharing is spoken of from 3. Each case: the consumers, what else changes, breach.
fu_004_cases := {
	"one fewer": [2, {}, set()],
	"as many": [3, {}, fu_004_shared(3)],
	"one more": [4, {}, fu_004_shared(4)],
	"GPU time counts too": [3, {"/event/type": "compute.usage.gpu.v1"}, fu_004_shared(3)],
	"the holder's own call": [4, {"/event/consumer": "holder"}, set()],
	"a call that names no consumer": [4, {"/event/consumer": "none"}, set()],
	"the grant is a team's": [4, {"/facts/grant/personal": false}, set()],
	"not a usage": [4, {"/event/type": "compute.grant.vested.v1"}, set()],
}

test_fu_004[case] if {
	some case, [consumers, changes, breach] in fu_004_cases
	doc := testing.with_facts("usage", object.union({"/facts/use/consumers_24h": consumers}, changes))
	testing.only("FU-004", fair_use.breach) == breach with input as doc
	testing.only("FU-004", fair_use.excuse) == set() with input as doc
}

# What isn't known is a path that isn't there.
test_fu_004_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/use/consumers_24h", "/facts/grant/personal"]
	doc := testing.without(testing.with_facts("usage", {"/facts/use/consumers_24h": 3}), path)
	testing.only("FU-004", fair_use.breach) == set() with input as doc
	testing.only("FU-004", fair_use.excuse) == set() with input as doc
}
