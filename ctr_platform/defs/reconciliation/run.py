"""A pass of the recount: read what is new, then verify every closed window that may have changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ctr_platform.defs.kafka.epochs import topic_epochs
from ctr_platform.defs.kafka.offset_ranges import consumer
from ctr_platform.defs.reconciliation.balance import balance
from ctr_platform.defs.reconciliation.decode import Decoder
from ctr_platform.defs.reconciliation.final_windows import closed_until
from ctr_platform.defs.reconciliation.gaps import forget_disproved, open_gaps
from ctr_platform.defs.reconciliation.hours import (
    NEWEST_HOURS,
    in_turn,
    latest_hours,
    note_looked,
    until_time_is_up,
)
from ctr_platform.defs.reconciliation.inexact import open_hours, open_windows
from ctr_platform.defs.reconciliation.naming import forget_names
from ctr_platform.defs.reconciliation.passes import Recount, record_pass
from ctr_platform.defs.reconciliation.reading import TopicReader
from ctr_platform.defs.reconciliation.state import TURN_WITHIN_S, claimed_closed, progress, turn
from ctr_platform.defs.reconciliation.verify import (
    HOUR,
    VerificationSummary,
    forget_pending,
    hour_ranges,
    pending_hours,
    verify,
)
from ctr_platform.defs.registry.client import registry_client
from ctr_platform.defs.registry.schemas import WriterSchemas
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.streams import counted_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy import Engine

    from contract.settings import Settings
    from ctr_platform.defs.reconciliation.reading import Reading


def recount(
    settings: Settings,
    hours: Collection[datetime] = (),
    *,
    wait_s: float = TURN_WITHIN_S,
    on_batch: Callable[[], None] | None = None,
) -> Recount:
    """Bring the recount up to the job's last checkpoint and verify windows.

    Verified are the closed windows of `hours`, of the newest two, of every hour whose recount has changed, of
    hours with windows that are an error, and of the rest of the last `RECOUNT_HOURS` in turn, as far as there
    is time.

    Args:
        settings: where everything is.
        hours: starts of whole hours to verify besides, however long ago.
        wait_s: patience with another recount that is in progress.
        on_batch: called after every batch of records that is on record.

    Raises:
        TopicReplaced: a topic was deleted and made anew.
        CtrError: a service is unavailable, another recount runs, or retention has overtaken this one.
    """
    engine = writing_engine(settings.postgres_url, "ctr-recount")
    with (
        warehouse_errors(settings.postgres_url),
        turn(engine, wait_s),
        registry_client(settings) as registry,
        consumer(settings, "ctr-recount") as kafka,
    ):
        epochs = topic_epochs(settings)
        with engine.connect() as connection:
            counted = counted_stream(connection)
        decoder = Decoder(counted.stream, WriterSchemas(settings, registry).event_type, counted.since)
        reader = TopicReader(settings, engine, kafka, decoder, epochs)
        reading = reader.read(on_batch)
        return _verified(settings, engine, reading, hours)


def _verified(settings: Settings, engine: Engine, reading: Reading, hours: Collection[datetime]) -> Recount:
    with engine.begin() as connection:
        states = list(progress(connection, settings.raw_topic).values())
        now = datetime.now(tz=UTC)
        claimed = claimed_closed(connection, settings.raw_topic)
        closed = closed_until(states, reading.unread_since, claimed, now, settings.time_rules)
        verifiable_from = max((state.provable_from for state in states if state.provable_from), default=None)
        latest = latest_hours(now, settings.recount_hours)
        wanted = {
            *hours,
            *latest[:NEWEST_HOURS],
            *pending_hours(connection),
            *open_hours(connection),
        }
        others = in_turn(connection, [hour for hour in latest if hour not in wanted])
        verification = VerificationSummary()
        if closed is not None:
            for first, last in hour_ranges(wanted):
                verification = verification.plus(verify(connection, (first, last), closed, verifiable_from))
            for hour in until_time_is_up(others):
                span = hour, hour + HOUR
                verification = verification.plus(verify(connection, span, closed, verifiable_from))
                wanted.add(hour)
            note_looked(connection, wanted, latest[-1])
            forget_names(connection, closed)
        if verifiable_from is not None:
            forget_pending(connection, verifiable_from)
        forget_disproved(connection)
        done = Recount(
            reading=reading,
            verification=verification,
            balances=balance(connection, settings.raw_topic),
            inexact=open_windows(connection),
            gaps=open_gaps(connection, settings),
            closed_until=closed,
            verifiable_from=verifiable_from,
        )
        record_pass(connection, settings.raw_topic, done, min(wanted))
    return done
