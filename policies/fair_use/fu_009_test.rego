package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_009_uncovered := {{"code": "FU-009", "evidence": {"usage": "u-9", "used_at": 1789913600000000}}}

# The fixture, a day after a usage that nothing covered. Each case: what changes, breach.
fu_009_cases := {
	"no grant yet": [{}, fu_009_uncovered],
	"met": [{"/facts/due/met": true}, set()],
	"another duty": [{"/event/kind": "job_heartbeat"}, set()],
	"not a deadline": [{"/event/type": "compute.usage.inference.v1"}, set()],
}

test_fu_009[case] if {
	some case, [changes, breach] in fu_009_cases
	doc := testing.with_facts("deadline", changes)
	testing.only("FU-009", fair_use.breach) == breach with input as doc
	testing.only("FU-009", fair_use.excuse) == set() with input as doc
}

# Whether it was met isn't known until the feed of grants is complete: the engine makes the outcome indeterminate.
test_fu_009_accuses_nobody_by_a_missing_fact if {
	doc := testing.without(testing.with_facts("deadline", {}), "/facts/due/met")
	testing.only("FU-009", fair_use.breach) == set() with input as doc
}
