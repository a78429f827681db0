"""One description per service."""
