"""The quality report: an asset with one check per rule, and its schedule."""
