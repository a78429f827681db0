"""Alerts: who is notified of what, and who watches the watchers."""
