"""The quality report in Dagster: an asset with one check per rule, and its schedule."""
