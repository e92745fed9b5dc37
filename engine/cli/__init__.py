"""The `covenant` command."""
