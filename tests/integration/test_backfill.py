"""Chosen hours are recomputed from the topic, and nothing else is touched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from contract.errors import CtrError, UsageError
from ctr_platform.defs.backfill.hours import HourRange
from ctr_platform.defs.backfill.jobs import BACKFILL_JOB
from ctr_platform.defs.backfill.run import BackfillResult, backfill
from ctr_platform.defs.catalog import REPAIRED_WINDOWS
from ctr_platform.resources import Platform
from tests.oracle import MINUTE_MS
from tests.support.hostile import HOUR_MS, hostile_traffic
from tests.support.isolation import use_settings
from tests.support.pipeline import SECONDS, closed

if TYPE_CHECKING:
    import dagster as dg

    from tests.support.pipeline import Pipeline


def _span(job: Pipeline, first_hour: int, last_hour: int) -> HourRange:
    day = datetime.fromtimestamp(job.base_ms / 1000, tz=UTC)
    return HourRange(day + timedelta(hours=first_hour), day + timedelta(hours=last_hour))


def _repair(job: Pipeline, hour_range: HourRange, *, dry_run: bool = False) -> BackfillResult:
    return backfill(job.settings, hour_range, dry_run=dry_run)


def _run_job(job: Pipeline, *, dry_run: bool) -> tuple[dict[str, Any], list[dg.AssetKey]]:
    """Backfill the first three hours as an operator does; returns its figures, and what it materialized."""
    day = datetime.fromtimestamp(job.base_ms / 1000, tz=UTC)
    config = {
        "first_hour": day.isoformat(),
        "last_hour": (day + timedelta(hours=2)).isoformat(),
        "dry_run": dry_run,
    }
    done = BACKFILL_JOB.execute_in_process(
        run_config={"ops": {BACKFILL_JOB.name: {"config": config}}}, resources={"platform": Platform()}
    )
    [output] = [each.step_output_data.metadata for each in done.all_node_events if each.is_successful_output]
    figures = {name: value.value for name, value in output.items()}
    return figures, [each.asset_key for each in done.get_asset_materialization_events() if each.asset_key]


def _execute(job: Pipeline, *statements: str) -> None:
    with job.connect() as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_what_was_deleted_added_and_falsified_is_right_again_and_the_live_job_goes_on(
    job: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.submit()
    hostile_traffic(job, events=4_000, minutes=12, seed=21)
    # Late after idleness, which the topic's content alone does not tell.
    job.eventually(lambda: job.read() == job.expected().records, "the ledger")
    job.close_windows(3 * HOUR_MS)
    for partition in range(4):
        job.event(partition, 3 * HOUR_MS + 30_000, site_category="next hour")
    job.close_windows(4 * HOUR_MS)
    until = job.base_ms + 4 * HOUR_MS
    wanted = {minutes: closed(job.expected().windows(minutes), until, minutes) for minutes in (1, 5)}
    job.eventually(lambda: all(closed(job.rows(m), until, m) == wanted[m] for m in wanted), "the windows")
    job.eventually(lambda: job.read() == job.expected().records, "the ledger")

    first = min(start for start, _, _ in wanted[1]) / 1000
    hour = f"window_start >= to_timestamp({first}) and window_start < to_timestamp({first + 300})"
    untouched = "site_category = 'next hour'"
    _execute(
        job,
        f"update realtime.counts_1min set impressions = impressions + 3, clicks = clicks + 1 where {hour}",
        f"delete from realtime.counts_5min where {hour} and device_type = 1",
        "insert into realtime.counts_1min select window_start, window_end, 'invented', 9, 5, 5"
        f" from realtime.counts_1min where {hour} on conflict do nothing",
        # Outside of the hours that are repaired: stays as it is.
        f"update realtime.counts_1min set clicks = impressions where {untouched} and window_start >="
        f" to_timestamp({job.base_ms / 1000})",
    )
    falsified = {minutes: job.rows(minutes) for minutes in (1, 5)}

    use_settings(monkeypatch, job.stack)
    tried, materialized = _run_job(job, dry_run=True)
    assert tried["rows_changed"] > 0
    assert not materialized
    assert {minutes: job.rows(minutes) for minutes in (1, 5)} == falsified

    done, materialized = _run_job(job, dry_run=False)
    assert done["rows_changed"] == tried["rows_changed"]
    assert materialized == [REPAIRED_WINDOWS]
    cut = job.base_ms + 3 * HOUR_MS
    assert {m: closed(job.rows(m), cut, m) for m in wanted} == {m: closed(wanted[m], cut, m) for m in wanted}
    [(start, *_)] = [key for key in job.rows(1) if key[1] == "next hour"]
    assert (
        job.rows(1)[start, "next hour", 1]
        == falsified[1][start, "next hour", 1]
        != wanted[1][start, "next hour", 1]
    )
    assert job.query("select count(*) from quality.repair_counts") == [(0,)]
    revised = job.query(
        "select count(*) from realtime.window_revisions where published_revision < revision"
        " and window_start >= to_timestamp(%s) and window_start < to_timestamp(%s)",
        job.base_ms / 1000,
        job.base_ms / 1000 + 24 * 3600,
    )
    assert revised == [(done["windows_changed"],)]

    assert _repair(job, _span(job, 0, 3)).rows_changed == 0
    assert job.restarts() == 0
    assert job.rest("")["state"] == "RUNNING"


def test_what_was_late_after_idleness_is_not_counted_by_a_repair_either(job: Pipeline) -> None:
    job.use(**SECONDS)
    job.submit()
    job.event(0, HOUR_MS + 1_000)
    job.flush()
    key = (job.base_ms + HOUR_MS, "news", 1)
    job.eventually(lambda: job.rows(5).get(key) == (1, 0), "the windows of a silent topic")
    job.event(1, HOUR_MS + 2_000, click=1)
    job.close_windows(2 * HOUR_MS)
    job.eventually(lambda: job.dead_letters() == {(1, 0): "late"}, "the dead-letter message")
    job.eventually(lambda: job.read() == job.expected().records, "the ledger")

    def unchanged() -> bool:
        try:
            return _repair(job, _span(job, 1, 2), dry_run=True).rows_changed == 0
        except UsageError:
            return False  # the recount knows some seconds later what has closed

    job.eventually(unchanged, "a repair that finds nothing to repair")


def test_open_hours_are_refused(job: Pipeline) -> None:
    job.submit()
    job.close_windows(HOUR_MS)
    job.eventually(lambda: job.read() == 4, "the ledger")
    with pytest.raises(CtrError, match="not all closed"):
        _repair(job, _span(job, 1, 2))


def test_hours_beyond_retention_are_refused(job: Pipeline) -> None:
    job.event(0, MINUTE_MS)
    job.event(0, 2 * MINUTE_MS)
    job.flush()
    admin = AdminClient({"bootstrap.servers": job.settings.kafka_bootstrap_servers})
    [deleted] = admin.delete_records([TopicPartition(job.settings.raw_topic, 0, 1)]).values()
    deleted.result()
    with pytest.raises(CtrError, match="beyond the retention"):
        _repair(job, _span(job, 0, 1))


@pytest.mark.parametrize(("first", "last"), [(1, 1), (2, 1)])
def test_a_span_without_hours_is_refused(first: int, last: int) -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(CtrError, match="no hour lies"):
        HourRange(day + timedelta(hours=first), day + timedelta(hours=last))


def test_half_hours_are_refused() -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(CtrError, match="whole hours"):
        HourRange(day, day + timedelta(minutes=30))
