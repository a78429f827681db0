"""Dead letters: reading them, mending their messages, and replaying chosen ones."""
