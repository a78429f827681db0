"""Repair: chosen hours recomputed from the topic, and put in the place of what the warehouse holds."""
