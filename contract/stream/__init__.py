"""The declared stream: what an event is, what is counted of it, and by what."""
