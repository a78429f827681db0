"""The 1 min windows: the open one, the last closed one, and the hour before."""

from __future__ import annotations

from datetime import timedelta

from dashboard.components.live_view import render_live_windows

render_live_windows("1min", timedelta(hours=1))
