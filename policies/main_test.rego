package covenant.main_test

import data.covenant.main
import data.covenant.testing

over := {"code": "FU-001", "evidence": {"sum_u": 1200000000, "cap_u": 1000000000}}

uplift := {"code": "FU-001", "guard": "cap_uplift", "by": {"ap-12"}}

ended := {"code": "IP-012", "evidence": {"action": "pushed", "ended_at": 1700000000000000, "grace_us": 86400000000}}

within := testing.with_facts("usage", {})

above := testing.with_facts("usage", {"/event/id": "u-2", "/facts/use/ccu_30d_u": 1200000000})

left := testing.with_facts("contribution", {
	"/event/id": "c-3",
	"/event/in_org": true,
	"/facts/exit": {"state": "ended", "notice_at": 0, "ended_at": 1700000000000000},
})

# Of these rules only: a rule that is added may find more in the fixtures.
told := [{"id": r.id, "breach": breach, "excuse": excuse} |
	some r in main.results
	breach := {b | some b in r.breach; b.code in {"FU-001", "IP-012"}}
	excuse := {x | count(breach) > 0; some x in r.excuse; x.code == "FU-001"}
]

test_answers_keep_the_order_and_name_the_event if {
	told == [
		{"id": "litellm:9f3c01", "breach": set(), "excuse": set()},
		{"id": "u-2", "breach": {over}, "excuse": {uplift}},
		{"id": "c-3", "breach": {ended}, "excuse": set()},
	] with input as {"batch": [within, above, left]}
}

test_an_excuse_is_asked_for_only_where_there_is_a_breach if {
	# The uplift's excuse holds for this usage; nobody needs it.
	main.decision == {"breach": set(), "excuse": set()} with input as within
		with data.covenant.fair_use.breach as set()
		with data.covenant.ip_ownership.breach as set()
}

test_the_answer_repeats_the_revision if {
	main.batch == {"revision": "abc", "results": []} with input as {"batch": []} with data.revision as {"digest": "abc"}
}

test_without_the_engine_the_revision_is_none if {
	main.batch == {"revision": "none", "results": []} with input as {"batch": []}
}
