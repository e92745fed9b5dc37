package covenant.fair_use_test

import data.covenant.fair_use
import data.covenant.testing

fu_010_outside(model, provider) := {{"code": "FU-010", "evidence": {"model": model, "provider": provider, "grant": "G1"}}}

fu_010_alias := {{"code": "FU-010", "guard": "alias"}}

latest := "claude-x-latest"

fu_010_two := [{"models": ["sparrow-2"], "providers": ["sparrow"]}, {"models": ["claude-x-5"], "providers": ["anthropic"]}]

# The fixture, filtered out: its grant permits claude-x-5 of anthropic, claude-x-latest being another name of it.
# Each case: the model, what else changes, breach, excuse.
fu_010_cases := {
	"another model": ["gpt-y", {}, fu_010_outside("gpt-y", "anthropic"), set()],
	"GPU time counts too": ["gpt-y", {"/event/type": "compute.usage.gpu.v1"}, fu_010_outside("gpt-y", "anthropic"), set()],
	"another name of a permitted model": [latest, {}, fu_010_outside(latest, "anthropic"), fu_010_alias],
	"another name, another provider": [latest, {"/event/provider": "bedrock"}, fu_010_outside(latest, "bedrock"), set()],
	"another name, and no provider is named": [latest, {"/facts/filters/0/providers": []}, fu_010_outside(latest, "anthropic"), fu_010_alias],
	"another name of a model not permitted": [latest, {"/facts/filters/0/models": ["gpt-y"]}, fu_010_outside(latest, "anthropic"), set()],
	"another name of what another grant in force permits": [latest, {"/facts/filters": fu_010_two}, fu_010_outside(latest, "anthropic"), fu_010_alias],
	"another name of what the one permits, of a provider of the other": [latest, object.union({"/facts/filters": fu_010_two}, {"/event/provider": "sparrow"}), fu_010_outside(latest, "sparrow"), set()],
	"not filtered": ["gpt-y", {"/facts/coverage": "covered"}, set(), set()],
	"not a usage": ["gpt-y", {"/event/type": "compute.grant.vested.v1"}, set(), set()],
}

test_fu_010[case] if {
	some case, [model, changes, breach, excuse] in fu_010_cases
	doc := testing.with_facts("usage", object.union({"/facts/coverage": "filtered", "/event/model": model}, changes))
	testing.only("FU-010", fair_use.breach) == breach with input as doc
	testing.only("FU-010", fair_use.excuse) == excuse with input as doc
}

# Which other grants there are isn't known: the breach stands, nothing excuses, and the engine makes the outcome indeterminate.
test_fu_010_excuses_nothing_by_a_missing_fact if {
	doc := testing.without(testing.with_facts("usage", {"/facts/coverage": "filtered", "/event/model": latest}), "/facts/filters")
	testing.only("FU-010", fair_use.breach) == fu_010_outside(latest, "anthropic") with input as doc
	testing.only("FU-010", fair_use.excuse) == set() with input as doc
}
