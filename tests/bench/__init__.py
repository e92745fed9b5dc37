"""The bench: events a second, beside what limits them and beside the obvious build."""
