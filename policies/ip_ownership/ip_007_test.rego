package covenant.ip_ownership_test

import data.covenant.ip_ownership
import data.covenant.testing

ip_007_pushed(pushes, commits) := {{"code": "IP-007", "evidence": {"pushes": pushes, "commits": commits}}}

ip_007_guard(guard) := {{"code": "IP-007", "guard": guard}}

five := ip_007_pushed(5, 11)

own := {"/facts/outside/own_time": "yes", "/facts/outside/related": "unrelated"}

# The fixture: the fifth push in thirty days to a repository outside, eleven commits in all; five pushes count, ten commits are trivial. Each case: what changes, breach, excuse.
ip_007_cases := {
	"five pushes": [{}, five, set()],
	"four pushes": [{"/facts/outside/pushes_30d": 4}, set(), set()],
	"six pushes": [{"/facts/outside/pushes_30d": 6}, ip_007_pushed(6, 11), set()],
	"no granted compute": [{"/facts/outside/granted": false}, set(), set()],
	"inside the organisation": [{"/event/in_org": true}, set(), set()],
	"not a push": [{"/event/action": "downloaded"}, set(), set()],
	"not a contribution": [{"/event/type": "compute.usage.gpu.v1"}, set(), set()],
	"disclosed": [{"/facts/outside/disclosure": "made"}, five, ip_007_guard("disclosed")],
	"a disclosure names none": [{"/facts/outside/disclosure": "unnamed"}, five, ip_007_guard("disclosed")],
	"listed": [{"/event/repo": "github.com#990001"}, five, ip_007_guard("open_source")],
	"ten commits": [{"/facts/outside/commits_30d": 10}, ip_007_pushed(5, 10), ip_007_guard("trivial")],
	"nine commits": [{"/facts/outside/commits_30d": 9}, ip_007_pushed(5, 9), ip_007_guard("trivial")],
	"own time and unrelated": [own, five, ip_007_guard("IP-017")],
	"own time, and related": [object.union(own, {"/facts/outside/related": "related"}), five, set()],
	"own time, relatedness undetermined": [object.union(own, {"/facts/outside/related": "undetermined"}), five, set()],
	"unrelated, in the company's time": [object.union(own, {"/facts/outside/own_time": "no"}), five, set()],
	"unrelated, time undetermined": [object.union(own, {"/facts/outside/own_time": "undetermined"}), five, set()],
	"own and unrelated, but tied to it": [object.union(own, {"/facts/outside/company_link": true}), five, set()],
}

test_ip_007[case] if {
	some case, [changes, breach, excuse] in ip_007_cases
	doc := testing.with_facts("contribution", changes)
	testing.only("IP-007", ip_ownership.breach) == breach with input as doc
	testing.only("IP-007", ip_ownership.excuse) == excuse with input as doc
}

# What isn't known is a path that isn't there. Each: the path, breach.
test_ip_007_unknown[path] if {
	some path, breach in {"/event/in_org": set(), "/facts/outside/disclosure": five}
	doc := testing.without(testing.with_facts("contribution", {}), path)
	testing.only("IP-007", ip_ownership.breach) == breach with input as doc
	testing.only("IP-007", ip_ownership.excuse) == set() with input as doc
}
