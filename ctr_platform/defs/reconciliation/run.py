"""A pass of the recount: read what is new, then verify every closed window that may have changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import tenacity

from contract.errors import CtrError
from ctr_platform.defs.kafka.offset_ranges import consumer
from ctr_platform.defs.reconciliation.balance import balance
from ctr_platform.defs.reconciliation.final_windows import closed_until
from ctr_platform.defs.reconciliation.inexact import open_hours, open_windows
from ctr_platform.defs.reconciliation.naming import forget_names
from ctr_platform.defs.reconciliation.passes import Recount, record_pass
from ctr_platform.defs.reconciliation.reading import TopicReader
from ctr_platform.defs.reconciliation.schemas import SchemaCache
from ctr_platform.defs.reconciliation.state import claimed_closed, lock, progress
from ctr_platform.defs.reconciliation.verify import (
    HOUR,
    VerificationSummary,
    hour_of,
    hour_ranges,
    pending_hours,
    verify,
)
from ctr_platform.defs.registry.client import registry_client
from warehouse.engine import warehouse_errors, writing_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy import Engine

    from contract.settings import Settings
    from ctr_platform.defs.reconciliation.reading import Reading

TURN_WITHIN_S: Final = 60.0
"""Whoever begins with a recount meets the follower's of every minute, which takes seconds."""

TURN_POLL_S: Final = 0.5


def recount(
    settings: Settings,
    hours: Collection[datetime] = (),
    *,
    wait_s: float = TURN_WITHIN_S,
    on_batch: Callable[[], None] | None = None,
) -> Recount:
    """Bring the recount up to the job's last checkpoint and verify windows.

    Verified are the closed windows of `hours`, of the last `RECOUNT_HOURS`, of every hour whose recount has
    changed, and of hours with windows that are an error.

    Args:
        settings: where everything is.
        hours: starts of whole hours to verify besides, however long ago.
        wait_s: patience with another recount that is in progress.
        on_batch: called after every batch of records that is on record.

    Raises:
        CtrError: a service is unavailable, another recount runs, or retention has overtaken this one.
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
            raise CtrError(
                "another recount of this warehouse is in progress: wait until it has ended"
            ) from None
        reader = TopicReader(settings, engine, kafka, SchemaCache(settings, registry), on_batch)
        reading = reader.read()
        return _verified(settings, engine, reading, hours)


def _verified(settings: Settings, engine: Engine, reading: Reading, hours: Collection[datetime]) -> Recount:
    with engine.begin() as connection:
        states = list(progress(connection, settings.raw_topic).values())
        now = datetime.now(tz=UTC)
        claimed = claimed_closed(connection, settings.raw_topic)
        closed = closed_until(states, reading.unread_since, claimed, now, settings.time_rules)
        verifiable_from = max((state.provable_from for state in states if state.provable_from), default=None)
        wanted = {
            *hours,
            *_latest_hours(now, settings.recount_hours),
            *pending_hours(connection),
            *open_hours(connection),
        }
        verification = VerificationSummary()
        if closed is not None:
            for first, last in hour_ranges(wanted):
                start = first if verifiable_from is None else max(first, verifiable_from)
                if start < last:
                    verification = verification.plus(verify(connection, (start, last), closed))
            forget_names(connection, closed)
        done = Recount(
            reading=reading,
            verification=verification,
            balances=balance(connection, settings.raw_topic),
            inexact=open_windows(connection),
            closed_until=closed,
            verifiable_from=verifiable_from,
        )
        record_pass(connection, settings.raw_topic, done, min(wanted))
    return done


def _latest_hours(now: datetime, number: int) -> list[datetime]:
    latest: list[datetime] = []
    hour = hour_of(now + timedelta(minutes=1))
    while len(latest) < number:
        latest.append(hour)
        hour -= HOUR
    return latest
