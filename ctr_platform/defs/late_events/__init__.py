"""Late events in Dagster: the job that merges them."""
