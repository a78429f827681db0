"""Since when a store is away, as far as this process has noticed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import Literal

Store = Literal["Redis", "Postgres"]


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A store that does not answer."""

    store: Store
    since_s: float
    """When it was first noticed, s since the epoch."""
    reason: str


class Outages:
    """Remembers when each store was first found away; shared by all readers and their threads."""

    def __init__(self) -> None:
        self._since_s: dict[Store, float] = {}
        self._lock = Lock()

    def away(self, store: Store, error: Exception) -> Outage:
        """Note that a store did not answer."""
        with self._lock:
            since_s = self._since_s.setdefault(store, time.time())
        return Outage(store=store, since_s=since_s, reason=str(error))

    def back(self, store: Store) -> None:
        """Note that a store answered."""
        with self._lock:
            self._since_s.pop(store, None)
