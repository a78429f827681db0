"""A pass of the recount: read what is new, then verify every closed window that may have changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import tenacity

from ctr_platform.errors import CtrError
from ctr_platform.kafka.spans import consumer
from ctr_platform.recount.balance import Balance, balance
from ctr_platform.recount.closing import closed_until
from ctr_platform.recount.reading import Reader, Reading
from ctr_platform.recount.schemas import SchemaCache
from ctr_platform.recount.state import lock, progress
from ctr_platform.recount.verify import (
    HOUR,
    MAX_WORST,
    Verification,
    WorstWindow,
    hour_of,
    pending_hours,
    spans,
    verify,
    worst_windows,
)
from ctr_platform.registry.client import registry_client
from ctr_platform.settings import ERROR_TOPIC, RAW_TOPIC
from warehouse.engine import warehouse_errors, writing_engine

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Engine

    from ctr_platform.settings import Settings

TURN_WITHIN_S: Final = 60.0
"""A repair begins with a recount, and meets the one of every minute, which takes seconds."""

TURN_POLL_S: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Recount:
    """What a pass has done."""

    reading: Reading
    verification: Verification
    balances: list[Balance]
    """By partition, of those that can be compared now."""

    worst: list[WorstWindow]
    """The least exact of the latest verifications, of the hours looked at."""

    closed_until: datetime | None
    """Every window that ends by this has been verified, if its hour was looked at."""

    provable_from: datetime | None
    """Windows that start earlier cannot be proved: the topic no longer holds all their events."""


def recount(
    settings: Settings,
    hours: Collection[datetime] = (),
    *,
    raw_topic: str = RAW_TOPIC,
    error_topic: str = ERROR_TOPIC,
    wait_s: float = TURN_WITHIN_S,
) -> Recount:
    """Bring the recount up to the job's last checkpoint and verify windows.

    Verified are the closed windows of `hours`, of the last `RECOUNT_HOURS`, and of every hour whose
    recount has changed.

    Args:
        settings: where everything is.
        hours: starts of whole hours to verify besides, however long ago.
        raw_topic: what to count.
        error_topic: where its letters are.
        wait_s: patience with another recount that is at work.

    Raises:
        CtrError: a service is away, another recount is at work, or retention has overtaken this one.
    """
    engine = writing_engine(settings.postgres_url, "ctr-recount")
    with (
        warehouse_errors(settings.postgres_url),
        engine.connect() as guard,
        registry_client(settings) as registry,
        consumer(settings, "ctr-recount") as kafka,
    ):
        try:
            tenacity.Retrying(
                retry=tenacity.retry_if_result(lambda locked: not locked),
                wait=tenacity.wait_fixed(TURN_POLL_S),
                stop=tenacity.stop_after_delay(wait_s),
            )(lock, guard)
        except tenacity.RetryError:
            raise CtrError("another recount is at work on this warehouse: wait until it has ended") from None
        reader = Reader(settings, engine, kafka, SchemaCache(settings, registry))
        reading = reader.read(raw_topic, error_topic)
        return _verified(settings, engine, raw_topic, reading, hours)


def _verified(
    settings: Settings, engine: Engine, raw_topic: str, reading: Reading, hours: Collection[datetime]
) -> Recount:
    with engine.begin() as connection:
        states = list(progress(connection, raw_topic).values())
        now = datetime.now(tz=UTC)
        closed = closed_until(states, reading.behind, now)
        provable_from = max((state.provable_from for state in states if state.provable_from), default=None)
        wanted = {*hours, *_latest_hours(now, settings.recount_hours), *pending_hours(connection)}
        verification = Verification()
        worst: list[WorstWindow] = []
        if closed is not None:
            for first, last in spans(wanted):
                start = first if provable_from is None else max(first, provable_from)
                if start < last:
                    verification = verification.plus(verify(connection, (start, last), closed))
                    worst += worst_windows(connection, (start, last))
        balances = balance(connection, raw_topic)
    return Recount(
        reading=reading,
        verification=verification,
        balances=balances,
        worst=sorted(worst, key=lambda window: window.accuracy)[:MAX_WORST],
        closed_until=closed,
        provable_from=provable_from,
    )


def _latest_hours(now: datetime, number: int) -> list[datetime]:
    latest: list[datetime] = []
    hour = hour_of(now + timedelta(minutes=1))
    while len(latest) < number:
        latest.append(hour)
        hour -= HOUR
    return latest
