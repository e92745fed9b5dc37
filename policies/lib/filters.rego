# METADATA
# scope: package
# description: A grant's filters. An empty list filters nothing.
package covenant.lib.filters

permits(allowed, _) if count(allowed) == 0

permits(allowed, value) if value in allowed
