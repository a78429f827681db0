"""The book of alerts, in Postgres: what is open, and what has been told of it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from ctr_platform.alerts.problem import Problem
from warehouse.models import Alert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import Connection

ADVISORY_LOCK: Final = 0x0C7_A1E7
"""Any fixed number that nobody else locks in this database: two who tell at once would tell twice."""


@dataclass(frozen=True, kw_only=True)
class News:
    """What a person has to be told."""

    opened: list[Problem]
    lasting: list[Problem]
    """Told before, and still there after a while."""

    recovered: list[Problem]

    def __bool__(self) -> bool:
        return bool(self.opened or self.lasting or self.recovered)


def note(
    connection: Connection, source: str, problems: Collection[Problem], unknown: Collection[str] = ()
) -> None:
    """Write down what a source says is wrong now; what it said before and no longer says has recovered.

    Args:
        connection: in a transaction.
        source: who says so; others' problems stay as they are.
        problems: all that it knows of.
        unknown: keys of which it cannot say anything now: open ones stay open.
    """
    # The same key twice in a statement would be an error.
    rows = {each.key: {"source": source, **vars(each)} for each in problems}
    if rows:
        # It is back before anybody has been told that it was over.
        connection.execute(
            update(Alert)
            .where(
                Alert.source == source,
                Alert.key.in_(rows),
                Alert.told_at.is_not(None),
                Alert.recovered_at.is_not(None),
                Alert.recovery_told_at.is_(None),
            )
            .values(recovered_at=None)
        )
        adding = insert(Alert).values(list(rows.values()))
        connection.execute(
            adding.on_conflict_do_update(
                index_elements=[Alert.source, Alert.key],
                index_where=Alert.recovered_at.is_(None),
                set_={name: adding.excluded[name] for name in ("title", "detail", "url")},
            )
        )
    connection.execute(
        update(Alert)
        .where(Alert.source == source, Alert.recovered_at.is_(None), Alert.key.not_in({*rows, *unknown}))
        .values(recovered_at=func.now())
    )


@contextmanager
def untold(connection: Connection, repeat_s: float) -> Iterator[News]:
    """What is to be told; when the block ends without an error, it has been.

    A problem that came and went before anybody was told of it is not told at all.
    """
    now = datetime.now(tz=UTC)
    connection.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    due = now - timedelta(seconds=repeat_s)
    is_open = Alert.recovered_at.is_(None)
    opened, lasting, recovered = (
        [
            row.alert_id
            for row in connection.execute(select(Alert.alert_id).where(*which).order_by(Alert.alert_id))
        ]
        for which in (
            (is_open, Alert.told_at.is_(None)),
            (is_open, Alert.told_at <= due),
            (~is_open, Alert.told_at.is_not(None), Alert.recovery_told_at.is_(None)),
        )
    )
    yield News(
        opened=_problems(connection, opened),
        lasting=_problems(connection, lasting),
        recovered=_problems(connection, recovered),
    )
    told = Alert.alert_id.in_([*opened, *lasting])
    connection.execute(update(Alert).where(told).values(told_at=now))
    connection.execute(update(Alert).where(Alert.alert_id.in_(recovered)).values(recovery_told_at=now))


def _problems(connection: Connection, alert_ids: list[int]) -> list[Problem]:
    columns = (Alert.key, Alert.title, Alert.detail, Alert.url)
    rows = connection.execute(select(*columns).where(Alert.alert_id.in_(alert_ids)).order_by(Alert.alert_id))
    return [Problem(**row) for row in rows.mappings()]
