"""Kafka and Faust: topics, batched transport, agents, relay, gateway."""
