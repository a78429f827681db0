"""The recount in Dagster: an asset by hour, and the schedule that keeps it up to the stream."""
