"""Coordinates of records that a reader has met, however many."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class SeenRecords:
    """A set of coordinates in a temporary file, which ends with the block: memory does not grow with it.

    SQLite keeps a few megabytes of it in memory, and writes the rest where temporary files go.
    """

    def __init__(self) -> None:
        # An empty name is a database of one's own in a temporary file; there is nothing to roll back to.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(
            "CREATE TABLE seen (topic TEXT, partition INT, offset INT,"
            " PRIMARY KEY (topic, partition, offset)) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the file."""
        self._database.close()

    def add(self, topic: str, partition: int, offset: int) -> bool:
        """Add a record; returns whether it was new."""
        done = self._database.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (topic, partition, offset)
        )
        return done.rowcount == 1

    def holds(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a record was added."""
        found = self._database.execute(
            "SELECT 1 FROM seen WHERE (topic, partition, offset) = (?, ?, ?)", (topic, partition, offset)
        )
        return found.fetchone() is not None
