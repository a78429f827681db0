"""The dead letter queue: what is in it, readable."""
