"""The alert store, in Postgres: what is open, and what people have been notified of."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from ctr_platform.defs.alerts.alert import Alert
from warehouse.models import AlertRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import Connection

ADVISORY_LOCK: Final = 0x0C7_A1E7
"""Any fixed number that nobody else locks in this database: two who notify at once would do so twice."""


@dataclass(frozen=True, kw_only=True)
class Notifications:
    """What people are to be notified of."""

    opened: list[Alert]
    lasting: list[Alert]
    """Notified before, and still there after a while."""

    recovered: list[Alert]

    def __bool__(self) -> bool:
        return bool(self.opened or self.lasting or self.recovered)


def record_alerts(
    connection: Connection, source: str, alerts: Collection[Alert], unknown: Collection[str] = ()
) -> None:
    """Write down what a source says is wrong now; what it said before and no longer says has recovered.

    Args:
        connection: in a transaction.
        source: who says so; others' alerts stay as they are.
        alerts: all that it knows of.
        unknown: keys of which it cannot say anything now: open ones stay open.
    """
    # The same key twice in a statement would be an error.
    rows = {each.key: {"source": source, **vars(each)} for each in alerts}
    if rows:
        # It is back before anybody has been notified that it was over.
        connection.execute(
            update(AlertRow)
            .where(
                AlertRow.source == source,
                AlertRow.key.in_(rows),
                AlertRow.told_at.is_not(None),
                AlertRow.recovered_at.is_not(None),
                AlertRow.recovery_told_at.is_(None),
            )
            .values(recovered_at=None)
        )
        adding = insert(AlertRow).values(list(rows.values()))
        connection.execute(
            adding.on_conflict_do_update(
                index_elements=[AlertRow.source, AlertRow.key],
                index_where=AlertRow.recovered_at.is_(None),
                set_={name: adding.excluded[name] for name in ("title", "detail", "url")},
            )
        )
    connection.execute(
        update(AlertRow)
        .where(
            AlertRow.source == source, AlertRow.recovered_at.is_(None), AlertRow.key.not_in({*rows, *unknown})
        )
        .values(recovered_at=func.now())
    )


@contextmanager
def pending_notifications(connection: Connection, repeat_s: float) -> Iterator[Notifications]:
    """Notifications that are due; when the block ends without an error, they have been sent.

    Nobody is notified of an alert that came and went before anybody knew of it.
    """
    now = datetime.now(tz=UTC)
    connection.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    due = now - timedelta(seconds=repeat_s)
    is_open = AlertRow.recovered_at.is_(None)
    opened, lasting, recovered = (
        [
            row.alert_id
            for row in connection.execute(select(AlertRow.alert_id).where(*which).order_by(AlertRow.alert_id))
        ]
        for which in (
            (is_open, AlertRow.told_at.is_(None)),
            (is_open, AlertRow.told_at <= due),
            (~is_open, AlertRow.told_at.is_not(None), AlertRow.recovery_told_at.is_(None)),
        )
    )
    yield Notifications(
        opened=_alerts(connection, opened),
        lasting=_alerts(connection, lasting),
        recovered=_alerts(connection, recovered),
    )
    notified = AlertRow.alert_id.in_([*opened, *lasting])
    connection.execute(update(AlertRow).where(notified).values(told_at=now))
    connection.execute(update(AlertRow).where(AlertRow.alert_id.in_(recovered)).values(recovery_told_at=now))


def _alerts(connection: Connection, alert_ids: list[int]) -> list[Alert]:
    columns = (AlertRow.key, AlertRow.title, AlertRow.detail, AlertRow.url)
    rows = connection.execute(
        select(*columns).where(AlertRow.alert_id.in_(alert_ids)).order_by(AlertRow.alert_id)
    )
    return [Alert(**row) for row in rows.mappings()]
