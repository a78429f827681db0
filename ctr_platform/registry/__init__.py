"""The Schema Registry: how the platform connects to it and the subject it owns."""
