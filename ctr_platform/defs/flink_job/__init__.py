"""The Flink job and its cluster."""
