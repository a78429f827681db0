"""Idleness and silence: what moves the job watermark, and what becomes of those who come back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from ctr_platform.defs.kafka.client import ADMIN_TIMEOUT_S, admin_client
from ctr_platform.defs.kafka.topics import ensure_topics
from tests.oracle import MINUTE_MS
from tests.support.pipeline import SECONDS

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS

IDLE_S = 3.0
"""Longer than the pace at which the job asks Kafka where its partitions end."""

NOTICED_WITHIN_S = 2.0
"""The job asks for new partitions each second; the watermark trails events by more, as they happen."""


def test_a_partition_back_from_idleness_finds_closed_windows_closed(job: Pipeline) -> None:
    """Partition 3 falls silent; the others close windows without it; its old events are late then."""
    job.use(**SECONDS)
    job.submit()
    for partition in range(4):
        job.event(partition, HOUR_MS + 1_000)
    job.flush()
    key = (job.base_ms + HOUR_MS, "news", 1)
    # Partitions 0 to 2 go on, so only partition 3 becomes idle and holds no longer.

    def resume() -> bool:
        for partition in range(3):
            job.event(partition, HOUR_MS + 3 * MINUTE_MS, site_category="others")
        job.flush()
        return key in job.rows(1)

    job.eventually(resume, "the window that only partition 3 held open")
    assert job.rows(1)[key] == (4, 0)

    job.event(3, HOUR_MS + 2_000)
    job.event(3, HOUR_MS + 3 * MINUTE_MS + 1, site_category="back")
    job.flush()
    # This outcome depends on the run, so its message is sent when a checkpoint has made it certain.
    job.eventually(lambda: job.dead_letters() == {(3, 1): "late"}, "the dead-letter message")
    assert job.rows(1)[key] == (4, 0)
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    back = (job.base_ms + HOUR_MS + 3 * MINUTE_MS, "back", 1)
    job.eventually(lambda: job.rows(1).get(back) == (1, 0), "the event after idleness")
    assert set(job.dropped_late().values()) == {0}


def test_silence_closes_the_last_windows(job: Pipeline) -> None:
    """By the contract's own minute, unlike the other tests here.

    Nobody sends what would move the watermark on; garbage keeps coming, and must not hold it either.
    """
    job.submit()
    job.event(1, HOUR_MS + 1_000, click=1)
    job.flush()
    key = (job.base_ms + HOUR_MS, "news", 1)

    def wait() -> bool:
        job.send(2, b"garbage")
        job.flush()
        return job.rows(1).get(key) == (1, 1) and job.rows(5).get(key) == (1, 1)

    job.eventually(wait, "both windows")
    assert set(job.dead_letters().values()) == {"malformed"}


def test_a_restored_job_does_not_open_what_it_has_closed(job: Pipeline) -> None:
    """After idleness only the job watermark says that a window is closed: it must survive a restore."""
    job.use(**SECONDS)
    job.submit()
    job.event(0, HOUR_MS + 1_000)
    job.flush()
    key = (job.base_ms + HOUR_MS, "news", 1)
    job.eventually(lambda: job.rows(5).get(key) == (1, 0), "the windows of a silent topic")
    savepoint = job.stop_with_savepoint()
    # Partition 1 never had a record, so by its content nothing is late in it.
    job.event(1, HOUR_MS + 2_000)
    job.flush()
    job.submit(restore_from=savepoint)
    job.eventually(lambda: job.dead_letters() == {(1, 0): "late"}, "the dead-letter message")
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    assert job.rows(1)[key] == (1, 0)
    assert set(job.dropped_late().values()) == {0}


def test_a_stale_producer_holds_no_window_open(job: Pipeline) -> None:
    """Partition 3 gets events two hours old, again and again: fresh windows close all the same."""
    job.submit()
    fresh_ms, stale_ms = 3 * HOUR_MS, HOUR_MS
    key = (job.base_ms + fresh_ms, "news", 1)
    for partition in range(3):
        job.event(partition, fresh_ms + 1_000)

    def go_on() -> bool:
        for partition in range(3):
            job.event(partition, fresh_ms + 3 * MINUTE_MS, site_category="others")
        job.event(3, stale_ms, site_category="stale")
        job.flush()
        return key in job.rows(1)

    job.eventually(go_on, "a fresh window")
    assert job.rows(1)[key] == (3, 0)
    job.eventually(lambda: "late" in job.dead_letters().values(), "stale events that came too late")
    stale = (job.base_ms + stale_ms, "stale", 1)
    job.eventually(
        lambda: stale in job.rows(1), "the stale events that came before windows closed without them"
    )
    assert set(job.dropped_late().values()) == {0}


def test_a_fast_clock_makes_nobody_elses_events_late(job: Pipeline) -> None:
    job.use(max_ahead=3600.0)
    job.submit()
    now_ms = time.time_ns() // 1_000_000 - job.base_ms
    for partition in range(4):
        job.event(partition, now_ms + HOUR_MS - 5_000, site_category="fast")
        job.event(partition, now_ms)
    job.flush()
    job.eventually(lambda: job.read() == 8, "all records")
    assert job.ledger()["counted"] == 8


def test_a_partition_with_an_open_transaction_is_not_idle(job: Pipeline) -> None:
    """A producer that commits more rarely than a partition becomes idle loses nothing."""
    job.use(partition_idle=IDLE_S)
    with job.transaction() as send:
        send(3, job.encode(HOUR_MS + 1_000, site_category="committed"))
        # Behind it: a partition that was idle for as long before may be passed over for a second more.
        job.submit()
        for _ in range(12):
            for partition in range(3):
                job.event(partition, HOUR_MS + 3 * MINUTE_MS)
            job.flush()
            time.sleep(IDLE_S / 5)
        assert job.rows(1) == {}
    job.close_windows(HOUR_MS + 2 * MINUTE_MS)
    key = (job.base_ms + HOUR_MS, "committed", 1)
    job.eventually(lambda: job.rows(1).get(key) == (1, 0), "the window of the committed event")
    assert job.dead_letters() == {}


def test_the_first_events_of_new_partitions_are_not_late(job: Pipeline) -> None:
    job.use(partition_idle=IDLE_S)
    job.submit()
    for partition in range(4):
        job.event(partition, HOUR_MS + 1_000)
    job.flush()
    job.add_partitions(8)
    for partition in range(4, 8):
        job.event(partition, HOUR_MS + 2_000)
    job.flush()
    time.sleep(NOTICED_WITHIN_S)
    key = (job.base_ms + HOUR_MS, "news", 1)

    def go_on() -> bool:
        for partition in range(4):
            job.event(partition, HOUR_MS + 3 * MINUTE_MS, site_category="others")
        job.flush()
        return key in job.rows(1)

    job.eventually(go_on, "the window of events in old partitions and new ones")
    assert job.rows(1)[key] == (8, 0)
    assert job.dead_letters() == {}


def test_a_time_that_a_producer_gave_in_the_brokers_place_is_not_believed(job: Pipeline) -> None:
    """Somebody lets records bear their producers' times; one is an hour ahead."""
    job.submit()
    now_ms = time.time_ns() // 1_000_000
    topic = ConfigResource(
        ResourceType.TOPIC,
        job.settings.raw_topic,
        incremental_configs=[
            ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
        ],
    )
    admin = admin_client(job.settings)
    admin.incremental_alter_configs([topic])[topic].result(ADMIN_TIMEOUT_S)
    ahead_ms = now_ms + HOUR_MS - 1_000
    job.send(0, job.encode(ahead_ms - job.base_ms, site_category="ahead"), timestamp=ahead_ms)
    job.flush()
    corrected = [drift.name for state in ensure_topics(job.settings) for drift in state.corrected]
    assert corrected == ["message.timestamp.type"]
    job.event(0, now_ms - job.base_ms)
    job.flush()
    job.eventually(lambda: job.read() == 2, "both records")
    assert job.ledger()["counted"] == 2
