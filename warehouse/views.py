"""Views that every stream has, as SQLAlchemy's queries name them. Their SQL is in `warehouse/sql`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, DateTime, Integer, Numeric, Text, column, table

from warehouse.models.accounting import LedgerRow
from warehouse.models.base import QUALITY

CONSERVATION: Final = table(
    "conservation",
    column("topic", Text),
    column("partition", Integer),
    *(
        column(name, BigInteger)
        for name in (
            "first_offset",
            "last_offset",
            "records_read",
            "counted",
            "late",
            "malformed",
            "unknown_schema",
            "invalid",
            "dead",
            "unaccounted",
            "uncovered_offsets",
            "overlapping_offsets",
        )
    ),
    schema=QUALITY,
)
"""One row per partition: the conservation law, summed over the ledger's current rows."""

WINDOW_ACCURACY: Final = table(
    "window_accuracy",
    column("window_type", Text),
    column("window_start", DateTime(timezone=True)),
    *(
        column(name, BigInteger)
        for name in (
            "expected_impressions",
            "actual_impressions",
            "expected_clicks",
            "actual_clicks",
            "late",
        )
    ),
    column("accuracy", Numeric(5, 2)),
    column("checked_at", DateTime(timezone=True)),
    schema=QUALITY,
)
"""One row per window: its latest verification."""

LEDGER_CURRENT: Final = table(
    "ledger_current",
    *(column(each.name, each.type) for each in LedgerRow.__table__.columns),
    schema=QUALITY,
)
"""The ledger without the rows that a restored job read again: of each offset, the newest run's row."""
