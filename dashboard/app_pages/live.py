"""The 1 min windows: the open one, the last closed one, and the hour before."""

from __future__ import annotations

from datetime import timedelta

from dashboard.parts.live_view import show_live_windows

show_live_windows("1min", timedelta(hours=1))
