"""Examples that run: what they contain stands beside them."""
