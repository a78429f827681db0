"""Backfill: hours recomputed from the topic, where the warehouse's windows were wrong."""
