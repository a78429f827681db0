"""The recount agrees with the job, and finds what somebody falsified."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from contract.errors import CtrError, UsageError
from ctr_platform.defs.reconciliation.hours import (
    NEWEST_HOURS,
    in_turn,
    latest_hours,
    note_looked,
    until_time_is_up,
)
from ctr_platform.defs.reconciliation.inexact import acknowledge
from ctr_platform.defs.reconciliation.run import recount
from ctr_platform.defs.reconciliation.state import lock
from tests.oracle import MINUTE_MS
from tests.support.hostile import HOUR_MS, hostile_traffic
from tests.support.pipeline import SECONDS
from warehouse.engine import writing_engine

if TYPE_CHECKING:
    from ctr_platform.defs.reconciliation.passes import Recount
    from tests.support.pipeline import Pipeline

UNTIL_MS = HOUR_MS + 15 * MINUTE_MS


def _recount(job: Pipeline) -> Recount:
    """A pass over the test's own topics, looking at its own day."""
    day = datetime.fromtimestamp(job.base_ms / 1000, tz=UTC)
    hours = [day + timedelta(hours=hour) for hour in range(3)]
    return recount(job.settings, hours)


def _settled(job: Pipeline, records: int) -> Recount:
    """The pass that has read so many records: the job tells of them with its checkpoints."""
    done: list[Recount] = []

    def all_read() -> bool:
        done.append(_recount(job))
        return _progress(job)["records_read"] == records

    job.eventually(all_read, "the recount")
    return done[-1]


def _progress(job: Pipeline) -> dict[str, int]:
    columns = ("records_read", "counted", "late", "malformed", "unknown_schema", "invalid")
    sums = ", ".join(f"coalesce(sum({column}), 0)::bigint" for column in columns)
    found = job.query(f"select {sums} from quality.recount_progress where topic = %s", job.settings.raw_topic)
    return dict(zip(columns, found[0], strict=True))


def _accuracy(job: Pipeline) -> dict[tuple[str, int], tuple[Any, ...]]:
    """The latest verification of every window of the test's day."""
    rows = job.query(
        "select window_type, (extract(epoch from window_start) * 1000)::bigint, accuracy,"
        " expected_impressions, actual_impressions, expected_clicks, actual_clicks, late"
        " from quality.window_accuracy"
        " where window_start >= to_timestamp(%s) and window_start < to_timestamp(%s)",
        job.base_ms / 1000,
        job.base_ms / 1000 + 24 * 3600,
    )
    return {(window_type, start): tuple(rest) for window_type, start, *rest in rows}


def test_the_recount_finds_the_same_windows_and_the_same_fates(job: Pipeline) -> None:
    job.submit()
    hostile_traffic(job, events=10_000, minutes=12, seed=11)
    job.close_windows(UNTIL_MS)
    expected = job.expected()
    job.eventually(lambda: job.read() == expected.records, "the ledger")
    done = _settled(job, expected.records)
    assert _progress(job) == job.ledger()
    assert done.verification.inexact == 0
    assert [each.partition for each in done.balances] == [0, 1, 2, 3]
    assert all(each.balanced for each in done.balances)
    verified = _accuracy(job)
    until = job.base_ms + UNTIL_MS
    for minutes in (1, 5):
        totals: dict[int, list[int]] = {}
        for (start, _, _), (impressions, clicks) in expected.windows(minutes).items():
            if start + minutes * MINUTE_MS <= until:
                total = totals.setdefault(start, [0, 0])
                total[0] += impressions
                total[1] += clicks
        assert totals
        for start, (impressions, clicks) in totals.items():
            accuracy, *figures = verified.pop((f"{minutes}min", start))
            assert accuracy == 100
            assert figures[:4] == [impressions, impressions, clicks, clicks]
    assert verified == {}
    with job.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "update quality.ledger set counted = counted - 1, late = late + 1"
            " where topic = %s and partition = 2 and first_offset = 0",
            (job.settings.raw_topic,),
        )
    [unbalanced] = [each for each in _recount(job).balances if not each.balanced]
    assert (unbalanced.partition, unbalanced.counted, unbalanced.late) == (2, 1, -1)
    late = job.query("select count(*) from quality.recount_late where topic = %s", job.settings.raw_topic)
    assert late == [(len(expected.late),)]

    again = _recount(job)
    assert again.reading.records == 0
    assert again.verification.changed_results == 0
    assert again.verification.windows > 0


def test_a_partitions_last_record_is_read_while_windows_go_on_closing(job: Pipeline) -> None:
    """With each checkpoint its ledger row could say that more has closed: it must become old all the same."""
    job.submit()
    at_ms = HOUR_MS
    job.event(3, HOUR_MS + 10 * MINUTE_MS)

    def read_while_others_go_on() -> bool:
        nonlocal at_ms
        at_ms += 250
        for partition in range(3):
            job.event(partition, at_ms)
        job.flush()
        _recount(job)
        found = job.query(
            "select records_read from quality.recount_progress where topic = %s and partition = 3",
            job.settings.raw_topic,
        )
        return found == [(1,)]

    job.eventually(read_while_others_go_on, "a recount of the last record")


@pytest.mark.parametrize(
    ("falsify", "kind", "accuracy"),
    [
        ("update realtime.counts_1min set impressions = impressions + 1 where {segment}", "1min", 98.33),
        ("update realtime.counts_1min set clicks = clicks - 1 where {segment}", "1min", 98.33),
        ("update realtime.counts_1min set clicks = 0 where {segment}", "1min", 0),
        ("delete from realtime.counts_5min where {segment}", "5min", 0),
        (
            (
                "insert into realtime.counts_1min select window_start, window_end, 'invented', 1, 1, 0"
                " from realtime.counts_1min where {segment}"
            ),
            "1min",
            98.33,
        ),
    ],
)
def test_a_falsified_row_is_found_by_the_next_pass_and_a_mended_one_too(
    job: Pipeline, falsify: str, kind: str, accuracy: float
) -> None:
    job.submit()
    for second in range(60):
        job.event(second % 4, HOUR_MS + second * 1000, click=1)
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    start = job.base_ms + HOUR_MS
    job.eventually(lambda: (start, "news", 1) in job.rows(5), "the windows")
    records = job.expected().records
    job.eventually(lambda: job.read() == records, "the ledger")
    assert _settled(job, records).verification.inexact == 0
    table = f"realtime.counts_{kind}"
    segment = f"window_start = to_timestamp({start / 1000}) and site_category = 'news'"
    with job.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"create temp table kept as select * from {table} where {segment}")
        cursor.execute(falsify.format(segment=segment))
        connection.commit()
        found = _recount(job)
        assert found.verification.inexact == 1
        assert [(each.window_type, float(each.accuracy)) for each in found.inexact.least_accurate] == [
            (kind, accuracy)
        ]
        assert [key for key, (value, *_) in _accuracy(job).items() if value < 100] == [(kind, start)]
        cursor.execute(f"delete from {table} where window_start = to_timestamp({start / 1000})")
        cursor.execute(f"insert into {table} select * from kept")
        connection.commit()
    mended = _recount(job)
    assert (mended.verification.inexact, mended.inexact.number) == (0, 0)
    assert _accuracy(job)[kind, start][0] == 100


def test_a_wrong_window_is_an_error_until_it_is_exact_or_acknowledged(job: Pipeline) -> None:
    """Of yesterday, where no pass looks by itself."""
    job.use(recount_hours=1)
    job.submit()
    for second in range(60):
        job.event(second % 4, HOUR_MS + second * 1000)
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    start = job.base_ms + HOUR_MS
    job.eventually(lambda: (start, "news", 1) in job.rows(5), "the windows")
    records = job.expected().records
    job.eventually(lambda: job.read() == records, "the ledger")
    assert _settled(job, records).inexact.number == 0

    def falsify(by: int) -> None:
        with job.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "update realtime.counts_1min set impressions = impressions + %s"
                " where window_start = to_timestamp(%s)",
                (by, start / 1000),
            )

    at = datetime.fromtimestamp(start / 1000, tz=UTC)
    falsify(1)
    assert _recount(job).inexact.number == 1, "found by a pass that was asked to look there"
    assert recount(job.settings).inexact.number == 1, "and not forgotten by one that was not"
    with pytest.raises(UsageError, match="is an error"):
        acknowledge(job.settings, at + timedelta(minutes=1), at + timedelta(hours=1), why="x", dry_run=False)
    with pytest.raises(UsageError, match="say why"):
        acknowledge(job.settings, at, at, why=" ", dry_run=False)
    [window] = acknowledge(job.settings, at, at, why="nothing can be done", dry_run=True)
    assert (window.window_type, window.actual_impressions - window.expected_impressions) == ("1min", 1)
    assert recount(job.settings).inexact.number == 1, "a dry run changes nothing"

    acknowledge(job.settings, at, at, why="nothing can be done", dry_run=False)
    assert recount(job.settings).inexact.number == 0
    falsify(1)
    assert _recount(job).inexact.number == 1, "these are not the figures that were acknowledged"
    falsify(-2)
    assert recount(job.settings).inexact.number == 0, "exact again, and found to be so unasked"

    with job.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into realtime.counts_1min select window_start - interval '30 minutes', window_end -"
            " interval '30 minutes', 'nobody', 1, 1, 0 from realtime.counts_1min limit 1"
        )
    assert _recount(job).inexact.number == 1, "a window that no event is of"
    with job.connect() as connection, connection.cursor() as cursor:
        cursor.execute("delete from realtime.counts_1min where site_category = 'nobody'")
    assert recount(job.settings).inexact.number == 0


def test_what_was_late_after_idleness_is_learned_from_its_letter(job: Pipeline) -> None:
    job.use(**SECONDS)
    job.submit()
    job.event(0, HOUR_MS + 1_000)
    job.flush()
    key = (job.base_ms + HOUR_MS, "news", 1)
    job.eventually(lambda: job.rows(5).get(key) == (1, 0), "the windows of a silent topic")
    # By the content of its partition this one is in time.
    job.event(1, HOUR_MS + 2_000, click=1)
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    job.eventually(lambda: job.dead_letters() == {(1, 0): "late"}, "the dead-letter message")
    job.eventually(lambda: job.read() == job.expected().records, "the ledger")
    done = _settled(job, job.read())
    assert _progress(job) == job.ledger()
    assert done.verification.inexact == 0
    assert _accuracy(job)["1min", job.base_ms + HOUR_MS] == (100, 1, 1, 0, 0, 1)


def test_hours_are_looked_at_in_turn(job: Pipeline) -> None:
    """With time for one hour in a pass, all but the newest two have been looked at after 22 passes."""
    engine = writing_engine(job.settings.postgres_url, "test")
    hours = latest_hours(datetime.now(tz=UTC), 24)
    looked: list[datetime] = []
    for _ in hours[NEWEST_HOURS:]:
        with engine.begin() as connection:
            [hour] = until_time_is_up(in_turn(connection, hours[NEWEST_HOURS:]), within_s=0)
            note_looked(connection, {hour}, hours[-1])
        looked.append(hour)
    assert looked == hours[NEWEST_HOURS:]
    with engine.begin() as connection:
        assert in_turn(connection, hours[NEWEST_HOURS:])[0] == looked[0]


def test_what_cannot_have_been_late_is_not_believed(job: Pipeline) -> None:
    """A job that calls records late which are not would be right about everything else."""
    job.submit()
    job.close_windows(HOUR_MS)
    job.eventually(lambda: job.read() == 4, "the ledger")
    _settled(job, 4)
    # No window can have closed that nobody had had an event of.
    job.event(0, HOUR_MS + 20 * MINUTE_MS)
    job.flush()
    job.eventually(lambda: job.read() == 5, "the ledger")
    value = job.encode(HOUR_MS + 20 * MINUTE_MS)
    headers = {
        "reason": "late",
        "__connect.errors.topic": job.settings.raw_topic,
        "__connect.errors.partition": "0",
        "__connect.errors.offset": "1",
    }
    job.send(0, value, topic=job.settings.error_topic, headers=headers)
    job.flush()
    passes: list[Recount] = []

    def judged() -> bool:
        passes.append(_recount(job))
        return any(
            each.reading.letters.not_believed or each.reading.letters.after_idleness for each in passes
        )

    # It waits until its record has been read.
    job.eventually(judged, "a pass that has judged the message")
    assert sum(each.reading.letters.not_believed for each in passes) == 1
    assert _progress(job) == job.ledger()
    assert _progress(job)["counted"] == 5


def test_a_topic_that_lost_its_beginning_proves_later_windows_only(job: Pipeline) -> None:
    """Retention: what may hold events that are gone is left out, what is whole is verified."""
    job.submit()
    job.event(0, HOUR_MS + 1_000)
    job.event(0, HOUR_MS + 2_000)
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    job.eventually(lambda: job.read() == job.expected().records, "the ledger")
    admin = AdminClient({"bootstrap.servers": job.settings.kafka_bootstrap_servers})
    [deleted] = admin.delete_records([TopicPartition(job.settings.raw_topic, 0, 1)]).values()
    deleted.result()
    job.eventually(lambda: _recount(job).verifiable_from is not None, "a pass after the ledger has settled")
    assert _accuracy(job) == {}


def test_a_second_recount_at_the_same_time_is_refused(job: Pipeline) -> None:
    engine = writing_engine(job.settings.postgres_url, "test")
    with engine.connect() as connection:
        assert lock(connection)
        with pytest.raises(CtrError, match="another recount"):
            recount(job.settings, wait_s=0)
