"""Kafka: how the platform connects to it and the topics it owns."""
