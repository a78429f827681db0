"""The 5 min windows over a chosen span."""

from __future__ import annotations

from dashboard.components.address import user
from dashboard.components.live_view import render_live_windows
from dashboard.components.time_range import choose_span

render_live_windows("5min", choose_span(user()))
