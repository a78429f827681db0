"""The conservation law, between the job's ledger and the recount."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

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

    @property
    def balanced(self) -> bool:
        """Whether both say the same of every outcome."""
        outcomes = (self.counted, self.late, self.malformed, self.unknown_schema, self.invalid)
        return self.records_read == 0 and not any(outcomes)


def balance(connection: Connection, topic: str) -> list[Balance]:
    """Compare the two by partition; partitions that cannot be compared now are left out."""
    rows = connection.execute(text(SQL.read_text(encoding="utf-8")), {"topic": topic}).mappings()
    return [Balance(**{name: int(value) for name, value in row.items()}) for row in rows]
