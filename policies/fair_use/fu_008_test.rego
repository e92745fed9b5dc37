package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_008_lapsed(why) := {{"code": "FU-008", "evidence": {"grant": "G1", "why": why}}}

# Each case: how the usage stands, what else changes, breach.
fu_008_cases := {
	"expired": ["expired", {}, fu_008_lapsed("expired")],
	"voided": ["voided", {}, fu_008_lapsed("voided")],
	"suspended": ["suspended", {}, fu_008_lapsed("suspended")],
	"GPU time counts too": ["expired", {"/event/type": "compute.usage.gpu.v1"}, fu_008_lapsed("expired")],
	"covered": ["covered", {}, set()],
	"access ended is another rule's": ["access_ended", {}, set()],
	"filtered is another rule's": ["filtered", {}, set()],
	"no grant is another rule's": ["uncovered", {}, set()],
	"not a usage": ["expired", {"/event/type": "compute.grant.vested.v1"}, set()],
}

test_fu_008[case] if {
	some case, [coverage, changes, breach] in fu_008_cases
	doc := testing.with_facts("usage", object.union({"/facts/coverage": coverage}, changes))
	testing.only("FU-008", fair_use.breach) == breach with input as doc
	testing.only("FU-008", fair_use.excuse) == set() with input as doc
}

# What isn't known is a path that isn't there.
test_fu_008_finds_nothing_by_a_missing_fact[path] if {
	some path in ["/facts/coverage", "/facts/grant/id"]
	doc := testing.without(testing.with_facts("usage", {"/facts/coverage": "expired"}), path)
	testing.only("FU-008", fair_use.breach) == set() with input as doc
	testing.only("FU-008", fair_use.excuse) == set() with input as doc
}
