"""Alerts: what is wrong now, told once when it begins, again while it lasts, and once when it is over."""
