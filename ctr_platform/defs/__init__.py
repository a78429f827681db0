"""Dagster's assets, checks and sensors, a folder per system."""
