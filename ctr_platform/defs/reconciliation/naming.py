"""Which segments of a window keep their names: the first ones, in the order of a partition's offsets."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pandas as pd
from sqlalchemy import delete, insert, select

from ctr_platform.defs.reconciliation.outcomes import segment_columns
from ctr_platform.defs.reconciliation.state import moment, rows_of
from warehouse.streams import tables_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

KEPT_AFTER_CLOSING: Final = timedelta(minutes=10)
"""A dead-letter message that takes a record out of a closed window arrives within a checkpoint or two."""


class SegmentNames:
    """The names of one partition's windows, in the transaction that counts its records."""

    def __init__(self, connection: Connection, topic: str, partition: int, limit: int) -> None:
        self._connection = connection
        self._where = {"topic": topic, "partition": partition}
        self._limit = limit
        self._tables = tables_of(connection)
        self._segment = segment_columns(self._tables.dimensions)

    def give(self, counts: pd.DataFrame) -> pd.DataFrame:
        """Replace segments beyond the bound in counts that are in the order of their first records.

        Args:
            counts: columns of a segment, and others that are kept; the names that are new go on record.
        """
        marked = self._marked(counts)
        new = marked[~marked["named"]]
        known = marked.groupby("window_start_ms")["known"].first()
        position = new.groupby("window_start_ms").cumcount() + new["window_start_ms"].map(known)
        named = new[position < self._limit]
        if not named.empty:
            self._connection.execute(
                insert(self._tables.recount_segments),
                [{**row, **self._where} for row in rows_of(named[self._segment])],
            )
            marked.loc[named.index, "named"] = True
        return self._renamed(marked, counts)

    def look_up(self, records: pd.DataFrame) -> pd.DataFrame:
        """Replace segments as they were when these records were counted; nothing new is named."""
        marked = self._marked(records)
        # Of a window below the bound everything was named, and of one long closed nothing is known any more.
        marked["named"] |= marked["known"] < self._limit
        return self._renamed(marked, records)

    def _marked(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The segments, whether each is `named`, and how many of its window are `known`."""
        starts = [moment(int(start)) for start in frame["window_start_ms"].unique()]
        table = self._tables.recount_segments
        found = self._connection.execute(
            select(table.c.window_start, *(table.c[each] for each in self._tables.dimensions)).where(
                table.c.topic == self._where["topic"],
                table.c.partition == self._where["partition"],
                table.c.window_start.in_(starts),
            )
        )
        known = pd.DataFrame(
            [(round(1000 * start.timestamp()), *values) for start, *values in found], columns=self._segment
        ).astype({"window_start_ms": "int64", **dict.fromkeys(self._tables.numbers, "int64")})
        marked = frame[self._segment].merge(known.assign(named=True), on=self._segment, how="left")
        marked.index = frame.index
        marked["named"] = marked["named"].notna()
        sizes = known.groupby("window_start_ms").size()
        marked["known"] = marked["window_start_ms"].map(sizes).fillna(0).astype("int64")
        return marked

    def _renamed(self, marked: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
        renamed = frame.copy()
        renamed.loc[~marked["named"], list(self._tables.dimensions)] = list(self._tables.other)
        return renamed


def forget_names(connection: Connection, closed_until: datetime) -> None:
    """Drop the names of windows that are closed for good."""
    table = tables_of(connection).recount_segments
    connection.execute(delete(table).where(table.c.window_start < closed_until - KEPT_AFTER_CLOSING))
