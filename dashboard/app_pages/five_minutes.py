"""The page of the 5 min windows."""

from __future__ import annotations

from dashboard.live_view import show_live_windows

show_live_windows("5min")
