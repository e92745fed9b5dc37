package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_007_ended := {{"code": "FU-007", "evidence": {"access_until": 1789000000000000, "grant": "G1"}}}

fu_007_job := {{"code": "FU-007", "guard": "job_started_before"}}

job(state, started) := {"/facts/job": {"state": state, "started": started}}

# The fixture, with access ended on 1789000000 s. Each case: what changes, breach, excuse.
fu_007_cases := {
	"no job": [{}, fu_007_ended, set()],
	"GPU time counts too": [{"/event/type": "compute.usage.gpu.v1"}, fu_007_ended, set()],
	"job started an instant earlier": [job("started", 1788999999999999), fu_007_ended, fu_007_job],
	"job started with the last instant": [job("started", 1789000000000000), fu_007_ended, fu_007_job],
	"job started an instant later": [job("started", 1789000000000001), fu_007_ended, set()],
	"no job, whatever its start says": [job("none", 1788999999999999), fu_007_ended, set()],
	"covered": [{"/facts/coverage": "covered"}, set(), set()],
	"expired is another rule's": [{"/facts/coverage": "expired"}, set(), set()],
	"not a usage": [{"/event/type": "compute.grant.vested.v1"}, set(), set()],
}

test_fu_007[case] if {
	some case, [changes, breach, excuse] in fu_007_cases
	ended := {"/facts/coverage": "access_ended", "/facts/access_until": 1789000000000000}
	doc := testing.with_facts("usage", object.union(ended, changes))
	testing.only("FU-007", fair_use.breach) == breach with input as doc
	testing.only("FU-007", fair_use.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there. Each: the path, breach.
test_fu_007_unknown[path] if {
	some path, breach in {"/facts/coverage": set(), "/facts/job": fu_007_ended}
	ended := {"/facts/coverage": "access_ended", "/facts/access_until": 1789000000000000}
	doc := testing.without(testing.with_facts("usage", ended), path)
	testing.only("FU-007", fair_use.breach) == breach with input as doc
	testing.only("FU-007", fair_use.excuse) == set() with input as doc
}
