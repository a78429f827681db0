"""The three topics."""
