"""Repair in Dagster: an asset by hour, for backfills."""
