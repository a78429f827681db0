"""The recount of the raw topic, and the windows verified by it."""
