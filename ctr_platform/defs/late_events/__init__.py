"""Late events, merged into their closed windows."""
