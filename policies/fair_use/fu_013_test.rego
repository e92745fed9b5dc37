package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_013_silent := {{"code": "FU-013", "evidence": {"job": "u-9", "started": 1789913600000000}}}

# The fixture, as if what was due were a job's heartbeat. Each case: what else changes, breach.
fu_013_cases := {
	"silent": [{}, fu_013_silent],
	"it ended, or said that it runs": [{"/facts/due/met": true}, set()],
	"another duty": [{"/event/kind": "usage_uncovered"}, set()],
	"not a deadline": [{"/event/type": "compute.usage.gpu.v1"}, set()],
}

test_fu_013[case] if {
	some case, [changes, breach] in fu_013_cases
	doc := testing.with_facts("deadline", object.union({"/event/kind": "job_heartbeat"}, changes))
	testing.only("FU-013", fair_use.breach) == breach with input as doc
	testing.only("FU-013", fair_use.excuse) == set() with input as doc
}

# Whether it was met isn't known until the feed of usage is complete: the engine makes the outcome indeterminate.
test_fu_013_accuses_nobody_by_a_missing_fact if {
	doc := testing.without(testing.with_facts("deadline", {"/event/kind": "job_heartbeat"}), "/facts/due/met")
	testing.only("FU-013", fair_use.breach) == set() with input as doc
}
