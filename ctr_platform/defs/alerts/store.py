"""The alert store, in Postgres: what is open, and what people have been notified of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from warehouse.models.alerts import AlertRow
from warehouse.quality_reads import muted_until

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from ctr_platform.defs.alerts.alert import Alert

LEASE: Final = timedelta(seconds=60)
"""What one notifier has claimed is left to it for so long. Posting takes 10 s to connect, to send and to be
answered at the most, and writing down that it was done a moment; a process that ended between is waited for
no longer."""

_SHOWN: Final = ("title", "detail", "url", "mend_url", "runbook")
"""Columns that the newest finding replaces."""


@dataclass(frozen=True, kw_only=True)
class Notification:
    """An alert as people are told of it."""

    alert_id: int
    key: str
    title: str
    detail: str
    url: str
    mend_url: str
    runbook: str
    opened_at: datetime
    recovered_at: datetime | None
    acknowledged_by: str | None
    acknowledged_why: str | None


@dataclass(frozen=True, kw_only=True)
class Notifications:
    """What people are to be notified of, in the order in which it began."""

    opened: list[Notification] = field(default_factory=list)
    lasting: list[Notification] = field(default_factory=list)
    """Notified before, and still there after a while."""

    recovered: list[Notification] = field(default_factory=list)

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
    rows = {
        each.key: {
            "source": source,
            "key": each.key,
            **{name: _storable(getattr(each, name)) for name in _SHOWN},
            "opened_at": each.since or func.now(),
        }
        for each in alerts
    }
    if rows:
        # It is back before anybody has been notified that it was over; or perhaps somebody is just now.
        connection.execute(
            update(AlertRow)
            .where(
                AlertRow.source == source,
                AlertRow.key.in_(rows),
                AlertRow.told_at.is_not(None),
                AlertRow.recovered_at.is_not(None),
                AlertRow.recovery_told_at.is_(None),
            )
            .values(recovered_at=None, told_at=case((AlertRow.claimed_by.is_(None), AlertRow.told_at)))
        )
        adding = insert(AlertRow).values(list(rows.values()))
        connection.execute(
            adding.on_conflict_do_update(
                index_elements=[AlertRow.source, AlertRow.key],
                index_where=AlertRow.recovered_at.is_(None),
                set_={name: adding.excluded[name] for name in _SHOWN},
            )
        )
    connection.execute(
        update(AlertRow)
        .where(
            AlertRow.source == source, AlertRow.recovered_at.is_(None), AlertRow.key.not_in({*rows, *unknown})
        )
        .values(recovered_at=func.now())
    )


def _storable(text: str) -> str:
    """Text without what Postgres cannot store, which an exception may quote; else it kept all alerts back."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")


def claim_due(connection: Connection, repeat_s: float, notifier: str) -> Notifications:
    """Take what people are to be notified of now, for `LEASE`: until then nobody else gets it.

    Nobody is notified of an alert that came and went before anybody knew of it, again of one that was
    acknowledged, or of one that is muted.

    Args:
        connection: in a transaction, which is to be committed before anybody is notified.
        repeat_s: an alert that lasts is due again after so long.
        notifier: who claims, by a name that is never used again.
    """
    is_open = AlertRow.recovered_at.is_(None)
    new = and_(is_open, AlertRow.told_at.is_(None))
    lasting = and_(
        is_open,
        AlertRow.told_at <= func.now() - timedelta(seconds=repeat_s),
        AlertRow.acknowledged_at.is_(None),
    )
    over = and_(~is_open, AlertRow.told_at.is_not(None), AlertRow.recovery_told_at.is_(None))
    # What another transaction has locked is being claimed, or recorded by one that will claim it.
    due = (
        select(AlertRow.alert_id)
        .where(
            or_(new, lasting, over),
            or_(AlertRow.claimed_until.is_(None), AlertRow.claimed_until < func.now()),
            muted_until().is_(None),
        )
        .with_for_update(skip_locked=True, of=AlertRow)
    )
    columns = [AlertRow.__table__.c[name] for name in Notification.__dataclass_fields__]
    claimed = connection.execute(
        update(AlertRow)
        .where(AlertRow.alert_id.in_(due))
        .values(claimed_by=notifier, claimed_until=func.now() + LEASE)
        .returning(*columns, AlertRow.told_at)
    ).mappings()
    found = Notifications()
    for row in sorted(claimed, key=lambda row: row["alert_id"]):
        values = dict(row)
        first = values.pop("told_at") is None
        each = Notification(**values)
        kind = found.opened if first else found.lasting
        (kind if each.recovered_at is None else found.recovered).append(each)
    return found


def record_notified(connection: Connection, notifier: str, notified: Notifications) -> None:
    """Write down that people have been notified of what this notifier had claimed.

    What has come back while they were told that it is over is an alert of which they know nothing.
    """
    for alerts, values in (
        ([*notified.opened, *notified.lasting], {"told_at": func.now()}),
        (notified.recovered, {"recovery_told_at": case((AlertRow.recovered_at.is_not(None), func.now()))}),
    ):
        connection.execute(
            update(AlertRow)
            .where(AlertRow.claimed_by == notifier, AlertRow.alert_id.in_([each.alert_id for each in alerts]))
            .values(**values, claimed_by=None, claimed_until=None)
        )


def release(connection: Connection, notifier: str) -> None:
    """Give back what this notifier had claimed and nobody was notified of: it is due at once."""
    connection.execute(
        update(AlertRow).where(AlertRow.claimed_by == notifier).values(claimed_by=None, claimed_until=None)
    )
