"""The read side of what verifies the counts, over rows as their writers leave them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, event, insert, text
from sqlalchemy.dialects import postgresql

from tests.support.stores import writing_engine
from warehouse import quality_reads
from warehouse.models.accounting import LedgerRow
from warehouse.models.alerts import AlertMute, AlertRow
from warehouse.models.operation import JobMetricsRow
from warehouse.models.recount import WindowVerification
from warehouse.quality_reads import JobMetricsSample, OpenAlert, OutcomeCounts, QualityRecords, Verification
from warehouse.read_connections import MAX_WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from warehouse.models.base import Base

pytestmark = pytest.mark.stack

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOON = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0) - HOUR * 12
MINUTES = 120
FATES = ("records_read", "counted", "late", "malformed", "unknown_schema", "invalid")


@pytest.fixture
def records(url: URL) -> Iterator[QualityRecords]:
    reader = QualityRecords(url)
    yield reader
    reader.close()


def put(url: URL, table: type[Base], *rows: dict[str, Any]) -> None:
    with writing_engine(url).begin() as connection:
        connection.execute(insert(table), list(rows))


def verification(minute: int, checked: int, actual: int, accuracy: str, **more: Any) -> dict[str, Any]:
    return {
        "window_type": "1min",
        "window_start": NOON + minute * MINUTE,
        "checked_at": NOON + checked * MINUTE,
        "expected_impressions": 100,
        "actual_impressions": actual,
        "expected_clicks": 10,
        "actual_clicks": 10,
        "late": 3,
        "accuracy": accuracy,
        **more,
    }


def test_an_empty_warehouse_has_nothing(records: QualityRecords) -> None:
    assert records.verifications("1min", NOON, NOON + HOUR) == []
    assert records.latest_verification("1min") is None
    assert records.outcomes(NOON, HOUR) == []
    assert records.vital_signs(NOON) == []
    assert records.open_alerts() == []


def test_a_windows_latest_verification_counts_newest_window_first(url: URL, records: QualityRecords) -> None:
    put(
        url,
        WindowVerification,
        verification(0, 9, 100, "100.00"),
        verification(1, 2, 98, "98.00"),
        verification(1, 9, 100, "100.00"),
        verification(1, 5, 99, "99.00"),
        verification(2, 3, 100, "100.00", actual_clicks=9),
        verification(3, 4, 97, "97.50"),
        verification(9, 10, 100, "100.00", window_type="5min"),
    )
    found = records.verifications("1min", NOON + MINUTE, NOON + 3 * MINUTE)
    assert [(each.window_start, each.accuracy, each.exact) for each in found] == [
        (NOON + 2 * MINUTE, 100.0, False),
        (NOON + MINUTE, 100.0, True),
    ]
    assert records.latest_verification("1min") == Verification(
        window_type="1min",
        window_start=NOON + 3 * MINUTE,
        expected_impressions=100,
        actual_impressions=97,
        expected_clicks=10,
        actual_clicks=10,
        late=3,
        accuracy=97.5,
        checked_at=NOON + 4 * MINUTE,
    )
    with pytest.raises(ValueError, match="at most"):
        records.verifications("1min", NOON, NOON + (MAX_WINDOWS + 1) * MINUTE)


def test_reads_do_not_grow_with_the_history(url: URL, records: QualityRecords) -> None:
    statements: list[tuple[str, Any]] = []

    def remember(*arguments: Any) -> None:
        statements.append(arguments[2:4])

    with writing_engine(url).begin() as connection:
        connection.execute(
            text(
                "INSERT INTO quality.window_accuracy_history"
                " SELECT '1min', start, start + again * interval '5 min', 9, 9, 1, 1, 0, 100"
                " FROM generate_series(CAST(:noon AS timestamptz) - interval '9 d', :noon, '1 min') start,"
                " generate_series(1, 3) again"
            ),
            {"noon": NOON},
        )
        connection.execute(
            text(
                "INSERT INTO quality.ledger"
                " SELECT 't', part, n * 10, n * 10 + 9, n, 10, 10, 0, 0, 0, 0, 'j',"
                " CAST(:noon AS timestamptz) - interval '99 d', :noon - n * interval '1 min'"
                " FROM generate_series(1, 10000) n, generate_series(0, 1) part"
            ),
            {"noon": NOON},
        )
        connection.execute(
            text(
                "INSERT INTO quality.vital_signs SELECT at, 'j', 1, 1, 1, 1, 0, 1, 1, 1, 1, 1"
                " FROM generate_series(CAST(:noon AS timestamptz) - interval '3 d', :noon, '15 s') at"
            ),
            {"noon": NOON},
        )
    with writing_engine(url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(
            text("ANALYZE quality.window_accuracy_history, quality.ledger, quality.vital_signs")
        )
    event.listen(Engine, "before_cursor_execute", remember)
    try:
        assert len(records.verifications("1min", NOON - HOUR, NOON)) == 60
        assert records.latest_verification("1min") is not None
        assert [each.records_read for each in records.outcomes(NOON - HOUR, HOUR)] == [1200]
        assert len(records.vital_signs(NOON - HOUR)) == 241
    finally:
        event.remove(Engine, "before_cursor_execute", remember)
    with writing_engine(url).connect() as connection:
        plans = [
            "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
            for statement, parameters in statements
            if "quality." in statement
        ]
    indexes = ("history_pkey", "history_pkey", "ledger_written_at_idx", "vital_signs_pkey")
    assert len(plans) == len(indexes)
    for plan, index in zip(plans, indexes, strict=True):
        assert index in plan
        assert "Seq Scan" not in plan


def ledger(run: int, checkpoint: int, first: int, last: int, written: int, **more: Any) -> dict[str, Any]:
    read = last - first + 1
    outcomes = {"counted": read - 1, "late": 1, "malformed": 0, "unknown_schema": 0, "invalid": 0}
    return {
        "topic": "t",
        "partition": 0,
        "first_offset": first,
        "last_offset": last,
        "checkpoint_id": checkpoint,
        "records_read": read,
        **outcomes,
        "job_id": f"job-{run}",
        "run_started_at": NOON + run * MINUTE,
        "written_at": NOON + written * MINUTE,
        **more,
    }


def test_fates_are_summed_by_when_they_were_written(url: URL, records: QualityRecords) -> None:
    put(
        url,
        LedgerRow,
        ledger(0, 1, 0, 9, written=4),
        ledger(0, 2, 10, 19, written=5, counted=4, late=3, malformed=1, unknown_schema=2, invalid=0),
        ledger(0, 2, 0, 9, written=9, partition=1, counted=5, late=3, invalid=2),
        ledger(0, 3, 20, 29, written=20),
    )
    found = records.outcomes(NOON + 5 * MINUTE, 5 * MINUTE)
    assert found == [
        OutcomeCounts(
            start=NOON + 5 * MINUTE,
            records_read=20,
            counted=9,
            late=6,
            malformed=1,
            unknown_schema=2,
            invalid=2,
        ),
        OutcomeCounts(
            start=NOON + 20 * MINUTE,
            records_read=10,
            counted=9,
            late=1,
            malformed=0,
            unknown_schema=0,
            invalid=0,
        ),
    ]
    assert found[0].dead == 5
    for bucket in (timedelta(0), timedelta(seconds=1)):
        with pytest.raises(ValueError, match="buckets"):
            records.outcomes(NOON, bucket)


def test_what_was_read_again_is_left_out_as_the_current_ledger_does(
    url: URL, records: QualityRecords
) -> None:
    """A job that crashes, goes back and is submitted anew: whatever the span, both say the same."""
    dice = random.Random(6)
    next_offsets, ends = [0, 0], [[(0, 0)], [(0, 0)]]
    run, checkpoint = 0, 0
    with writing_engine(url).begin() as connection:
        for minute in range(MINUTES):
            if dice.random() < 0.2:
                # From one of the last checkpoints: in the same run, or in a new one.
                checkpoint, back = checkpoint + dice.randrange(2), dice.randrange(1, 4)
                for partition in (0, 1):
                    del ends[partition][max(1, len(ends[partition]) - back) :]
                    next_offsets[partition] = ends[partition][-1][1]
                if dice.random() < 0.5:
                    run = minute
            checkpoint += 1
            for partition in (0, 1):
                first = next_offsets[partition]
                last = first + dice.choice((4, 9, 14))
                next_offsets[partition] = last + 1
                ends[partition].append((checkpoint, last + 1))
                row = ledger(run, checkpoint, first, last, minute, partition=partition)
                del row["written_at"]
                # As the job writes: a row of the same run and offset is overwritten.
                adding = postgresql.insert(LedgerRow).values(**row)
                changed = {name: adding.excluded[name] for name in row}
                connection.execute(
                    adding.on_conflict_do_update(index_elements=LedgerRow.__table__.primary_key, set_=changed)
                )
                # The clock of this test: what Postgres has stamped now was written in this minute.
                connection.execute(
                    text("UPDATE quality.ledger SET written_at = :at WHERE written_at = now()"),
                    {"at": NOON + minute * MINUTE},
                )
    superseded = 0
    for minute in range(MINUTES):
        since = NOON + minute * MINUTE
        with writing_engine(url).connect() as connection:
            expected = connection.execute(
                text(
                    "SELECT date_bin('5 min', written_at, '1970-01-01Z') AS start,"
                    + ", ".join(f"sum({name})::bigint AS {name}" for name in FATES)
                    + " FROM quality.ledger_current WHERE written_at >= :since GROUP BY 1 ORDER BY 1"
                ),
                {"since": since},
            ).mappings()
            everything = text("SELECT sum(records_read) FROM quality.ledger WHERE written_at >= :since")
            read = connection.scalar(everything, {"since": since})
            wanted = [OutcomeCounts(**row) for row in expected]
        assert records.outcomes(since, 5 * MINUTE) == wanted
        superseded += read - sum(each.records_read for each in wanted)
    assert superseded > 0


def test_a_row_that_takes_anothers_place_is_as_new_as_its_checkpoint(url: URL) -> None:
    old = ledger(0, 1, 0, 9, written=0)
    put(url, LedgerRow, old)
    read = text("SELECT written_at, late FROM quality.ledger")
    with writing_engine(url).begin() as connection:
        # Sent again after a restore: nothing has changed.
        connection.execute(text("UPDATE quality.ledger SET checkpoint_id = 1, late = 1"))
        assert connection.execute(read).one() == (NOON, 1)
    with writing_engine(url).begin() as connection:
        connection.execute(text("UPDATE quality.ledger SET checkpoint_id = 2, late = 2"))
        assert connection.execute(read).one() == (connection.scalar(text("SELECT now()")), 2)
    with writing_engine(url).begin() as connection:
        connection.execute(text("UPDATE quality.ledger SET job_watermark = now()"))
        assert connection.execute(read).one() == (connection.scalar(text("SELECT now()")), 2)


def job_metrics(second: int, **more: Any) -> dict[str, Any]:
    unmeasured = dict.fromkeys(JobMetricsSample.__annotations__)
    known = {"job_id": "j", "checkpoint_age_s": 1.5, "checkpoints_completed": 7, "checkpoints_failed": 0}
    return {**unmeasured, **known, "observed_at": NOON + timedelta(seconds=second), **more}


def test_vital_signs_come_oldest_first(
    url: URL, records: QualityRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [job_metrics(15, heap_percent=61.25, records_waiting=1 << 40), job_metrics(30), job_metrics(45)]
    put(url, JobMetricsRow, job_metrics(0), *rows)
    wanted = [JobMetricsSample(**row) for row in rows]
    assert records.vital_signs(NOON + timedelta(seconds=15)) == wanted
    monkeypatch.setattr(quality_reads, "MAX_LOOKS", 2)
    assert records.vital_signs(NOON) == wanted[1:]


def test_open_alerts_are_those_that_last(
    url: URL, records: QualityRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alert(key: str, minute: int, recovered: int | None = None) -> dict[str, Any]:
        return {
            "source": "test",
            "key": key,
            "title": f"{key} is wrong",
            "detail": "look",
            "url": f"http://localhost/{key}",
            "opened_at": NOON + minute * MINUTE,
            "recovered_at": None if recovered is None else NOON + recovered * MINUTE,
        }

    put(url, AlertRow, alert("a", 0), alert("b", 1, recovered=2), alert("c", 3))
    newest, oldest = records.open_alerts()
    assert newest == OpenAlert(
        alert_id=newest.alert_id,
        key="c",
        title="c is wrong",
        detail="look",
        url="http://localhost/c",
        mend_url="",
        runbook="",
        opened_at=NOON + 3 * MINUTE,
        acknowledged_at=None,
        acknowledged_by=None,
        acknowledged_why=None,
        muted_until=None,
    )
    assert oldest.title == "a is wrong"
    monkeypatch.setattr(quality_reads, "MAX_ALERTS", 1)
    assert records.open_alerts() == [newest]


def test_a_muted_alert_says_until_when(url: URL, records: QualityRecords) -> None:
    def mute(pattern: str, matches: str, minutes: int) -> dict[str, Any]:
        ends = datetime.now(tz=UTC) + minutes * MINUTE
        return {"pattern": pattern, "matches": matches, "muted_until": ends, "muted_by": "kim", "why": "move"}

    alert = {"source": "test", "title": "", "detail": "", "url": ""}
    put(url, AlertRow, *({**alert, "key": key} for key in ("job:a", "check:x:a_b", "check:x:acb")))
    put(url, AlertMute, mute("job:*", "job:%", -1), mute("*a_b", r"%a\_b", 5), mute("*:a_b", r"%:a\_b", 9))
    ends = {each.key: each.muted_until for each in records.open_alerts()}
    first, last = records.mutes()
    assert (first.pattern, last.pattern) == ("*a_b", "*:a_b")
    assert ends == {"job:a": None, "check:x:a_b": last.muted_until, "check:x:acb": None}
