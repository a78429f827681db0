"""Dead letters in Dagster: the job that replays chosen ones."""
