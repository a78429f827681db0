"""What is deleted and when: snapshots, releases, old rows, Dagster's own storage."""
