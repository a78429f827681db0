"""Traffic: synthetic events and replays of a click log, into the raw topic."""
