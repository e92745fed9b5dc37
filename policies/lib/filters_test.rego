package covenant.lib.filters_test

import data.covenant.lib.filters

test_an_empty_list_permits_everything if filters.permits([], "x")

test_a_listed_value_is_permitted if filters.permits(["x", "y"], "x")

test_another_value_is_not if not filters.permits(["x", "y"], "z")
