"""Ending on Ctrl-C or SIGTERM without losing what is under way."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class Stop:
    """Whether an end was asked for: once, finish what is under way; twice, give it up."""

    def __init__(self) -> None:
        self._first = threading.Event()
        self._second = threading.Event()

    @property
    def requested(self) -> bool:
        """An end was asked for."""
        return self._first.is_set()

    @property
    def insisted(self) -> bool:
        """It was asked for again."""
        return self._second.is_set()

    def request(self) -> None:
        """Ask for an end."""
        (self._second if self.requested else self._first).set()

    def wait(self, seconds: float) -> None:
        """Sleep, but not on after an end was asked for."""
        self._first.wait(seconds)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """A `Stop` that SIGINT and SIGTERM request, for the main thread."""
    stop = Stop()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.request()

    former = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
