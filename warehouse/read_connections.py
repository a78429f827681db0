"""What every reader of Postgres shares: its connections, its errors, and how much it reads at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from warehouse.engine import reading_engine, warehouse_errors
from warehouse.windows import window_length

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import URL, Connection

    from warehouse.windows import WindowType

MAX_WINDOWS: Final = 2100
"""The most windows of one read: a week of 5 min windows (2,016), and some."""


class ReadConnections:
    """Reads Postgres; connects on first use, and again after Postgres was unavailable.

    Every method raises `WarehouseUnavailable` where Postgres does not answer in time or has no such
    tables. Safe to share between threads.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = reading_engine(url)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with warehouse_errors(self._url), self._engine.connect() as connection:
            yield connection


def require_few_windows(window_type: WindowType, start: datetime, end: datetime) -> None:
    """Refuse a span with room for more than `MAX_WINDOWS` windows.

    Raises:
        ValueError: it has.
    """
    if end - start > MAX_WINDOWS * window_length(window_type):
        raise ValueError(f"a span holds at most {MAX_WINDOWS} windows")
