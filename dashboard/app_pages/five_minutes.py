"""The 5 min windows over a chosen span."""

from __future__ import annotations

from dashboard.parts.address import reader
from dashboard.parts.live_view import show_live_windows
from dashboard.parts.spans import choose_span

show_live_windows("5min", choose_span(reader()))
