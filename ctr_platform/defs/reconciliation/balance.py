"""The conservation law, between the job's ledger and the recount."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from ctr_platform.defs.reconciliation.awaited_letters import missing_letters

if TYPE_CHECKING:
    from sqlalchemy import Connection

SQL: Final = Path(__file__).with_name("sql") / "balance.sql"


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What the recount found in a partition beyond what the ledger says: 0 everywhere, if all is right."""

    partition: int
    records_read: int
    counted: int
    late: int
    malformed: int
    unknown_schema: int
    invalid: int
    dead_letters_missing: int
    """Rejected records without a dead-letter message."""

    @property
    def balanced(self) -> bool:
        """Whether both say the same of every outcome, and what was rejected is in the error topic."""
        return not any(getattr(self, each.name) for each in fields(self) if each.name != "partition")

    @property
    def records_elsewhere(self) -> int:
        """How many records have another outcome by the ledger than by the recount."""
        outcomes = (self.counted, self.late, self.malformed, self.unknown_schema, self.invalid)
        return abs(self.records_read) + sum(map(abs, outcomes))


def balance(connection: Connection, topic: str) -> list[Balance]:
    """Compare the two by partition; partitions that cannot be compared now are left out."""
    missing = {each.partition: each.records for each in missing_letters(connection, topic)}
    rows = connection.execute(text(SQL.read_text(encoding="utf-8")), {"topic": topic}).mappings()
    return [
        Balance(
            **{name: int(value) for name, value in row.items()},
            dead_letters_missing=missing.get(row["partition"], 0),
        )
        for row in rows
    ]
