"""The aggregates: fold(state, event) gives what the event does; one module a kind."""
