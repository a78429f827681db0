"""The topics."""
