"""The read side of Postgres, over rows as the job writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, event, insert, text
from sqlalchemy.exc import DBAPIError

from contract.errors import WarehouseUnavailable
from tests.support.stores import silent_port, writing_engine
from tests.support.tables import TABLES, segment
from warehouse.engine import reading_engine
from warehouse.models.accounting import LedgerRow
from warehouse.models.recount import WindowVerification
from warehouse.read_connections import MAX_WINDOWS
from warehouse.reads import Freshness, Warehouse
from warehouse.windows import EVERYTHING, Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def warehouse(url: URL) -> Iterator[Warehouse]:
    reader = Warehouse(url)
    yield reader
    reader.close()


def put(url: URL, table: Any, *rows: dict[str, Any]) -> None:
    with writing_engine(url).begin() as connection:
        connection.execute(insert(table), list(rows))


def counts(
    minute: int, category: str, device: int, impressions: int, clicks: int, *, length: int = 1
) -> dict[str, Any]:
    start = NOON + minute * MINUTE
    return {
        "window_start": start,
        "window_end": start + length * MINUTE,
        "site_category": category,
        "device_type": device,
        "impressions": impressions,
        "clicks": clicks,
    }


def late(offset: int, at: timedelta, category: str, *, click: int) -> dict[str, Any]:
    return {
        "topic": "t",
        "partition": 0,
        "offset": offset,
        "event_time": NOON + at,
        "site_category": category,
        "device_type": 1,
        "click": click,
    }


def ledger(
    run: int, checkpoint: int, first: int, last: int, *, partition: int = 0, **outcomes: int
) -> dict[str, Any]:
    read = last - first + 1
    refused = dict.fromkeys(("late", "malformed", "unknown_schema", "invalid"), 0) | outcomes
    return {
        "topic": "t",
        "partition": partition,
        "first_offset": first,
        "last_offset": last,
        "checkpoint_id": checkpoint,
        "records_read": read,
        "counted": read - sum(refused.values()),
        **refused,
        "job_id": f"job-{run}",
        "run_started_at": NOON + run * MINUTE,
    }


def test_an_empty_warehouse_has_nothing(warehouse: Warehouse) -> None:
    assert warehouse.latest_windows("1min", 5) == []
    assert warehouse.series("5min", NOON, NOON + MINUTE) == []
    assert warehouse.window("1min", NOON) is None
    assert warehouse.freshness("1min") == Freshness(latest_window_end=None, latest_written_at=None)
    assert warehouse.ledger_totals("t") == []


def test_the_newest_windows_come_first_whatever_lies_between(url: URL, warehouse: Warehouse) -> None:
    put(
        url,
        TABLES.counts["1min"],
        counts(0, "news", 1, 10, 1),
        counts(1, "news", 1, 300, 10),
        counts(1, "sports", 1, 100, 20),
        counts(1, "news", 0, 50, 1),
        counts(5000, "news", 1, 7, 7),
    )
    found = warehouse.latest_windows("1min", 2)
    assert [(each.start, each.impressions, each.clicks, each.ctr) for each in found] == [
        (NOON + 5000 * MINUTE, 7, 7, 100.0),
        (NOON + MINUTE, 450, 31, 6.89),
    ]
    assert found[1].end == NOON + 2 * MINUTE
    assert found[1].window_id == "20261104T1201Z"
    assert len(warehouse.latest_windows("1min", 10)) == 3


def test_one_window_is_split_by_its_dimensions(url: URL, warehouse: Warehouse) -> None:
    put(
        url,
        TABLES.counts["5min"],
        counts(0, "sports", 1, 100, 20, length=5),
        counts(0, "news", 1, 300, 10, length=5),
        counts(0, "news", 0, 50, 1, length=5),
        counts(5, "other window", 0, 1, 1, length=5),
    )
    window = warehouse.window("5min", NOON)
    assert window is not None
    assert (window.impressions, window.clicks, window.ctr) == (450, 31, 6.89)
    assert window.rates == {
        "site_category": {"news": 3.14, "sports": 20.0},
        "device_type": {"0": 2.0, "1": 7.5},
    }
    assert window.segments == (
        segment("news", 1, 300, 10),
        segment("sports", 1, 100, 20),
        segment("news", 0, 50, 1),
    )


def test_merged_late_events_are_in_both_of_their_windows(url: URL, warehouse: Warehouse) -> None:
    put(url, TABLES.counts["1min"], counts(7, "news", 1, 10, 1))
    put(url, TABLES.counts["5min"], counts(5, "news", 1, 20, 2, length=5))
    put(
        url,
        TABLES.late_events,
        late(1, timedelta(minutes=7), "news", click=1),
        late(2, timedelta(minutes=7, seconds=59, milliseconds=999), "sports", click=0),
        late(3, timedelta(minutes=9), "news", click=0),
    )
    minute = warehouse.window("1min", NOON + 7 * MINUTE)
    assert minute is not None
    assert {(each.value("site_category"), each.impressions, each.clicks) for each in minute.segments} == {
        ("news", 11, 2),
        ("sports", 1, 0),
    }
    # A window of late events alone is a window too.
    assert [(each.start, each.impressions, each.ctr) for each in warehouse.latest_windows("1min", 9)] == [
        (NOON + 9 * MINUTE, 1, 0.0),
        (NOON + 7 * MINUTE, 12, 16.67),
    ]
    (five,) = warehouse.series("5min", NOON, NOON + 60 * MINUTE)
    assert (five.start, five.end) == (NOON + 5 * MINUTE, NOON + 10 * MINUTE)
    assert (five.impressions, five.clicks) == (23, 3)
    assert warehouse.freshness("1min").latest_window_end == NOON + 10 * MINUTE


def test_a_series_holds_the_windows_that_start_in_its_span(url: URL, warehouse: Warehouse) -> None:
    put(url, TABLES.counts["1min"], *(counts(minute, "news", 1, minute + 1, 0) for minute in range(10)))
    found = warehouse.series("1min", NOON + 2 * MINUTE, NOON + 5 * MINUTE)
    assert [each.impressions for each in found] == [5, 4, 3]
    with pytest.raises(ValueError, match="at most"):
        warehouse.series("1min", NOON, NOON + (MAX_WINDOWS + 1) * MINUTE)


def test_a_series_of_chosen_segments_counts_these_alone(url: URL, warehouse: Warehouse) -> None:
    put(
        url,
        TABLES.counts["1min"],
        counts(0, "news", 1, 10, 1),
        counts(0, "news", 0, 20, 2),
        counts(0, "games", 1, 40, 4),
        counts(1, "games", 1, 80, 8),
        counts(2, "news", 1, 0, 0),
    )
    put(url, TABLES.late_events, late(1, timedelta(0), "news", click=1), late(2, 3 * MINUTE, "news", click=0))

    def chosen(selection: Selection) -> list[tuple[timedelta, int, int, float]]:
        found = warehouse.series("1min", NOON, NOON + 10 * MINUTE, selection)
        assert all(each.end - each.start == MINUTE for each in found)
        return [(each.start - NOON, each.impressions, each.clicks, each.ctr) for each in found]

    notifications = frozenset({"news"})
    assert chosen(EVERYTHING) == [
        (3 * MINUTE, 1, 0, 0.0),
        (MINUTE, 80, 8, 10.0),
        (timedelta(0), 71, 8, 11.27),
    ]
    # The minute of games alone is absent, and so is the one without impressions.
    assert chosen(Selection.of({"site_category": notifications})) == [
        (3 * MINUTE, 1, 0, 0.0),
        (timedelta(0), 31, 4, 12.9),
    ]
    assert chosen(Selection.of({"device_type": [0]})) == [(timedelta(0), 20, 2, 10.0)]
    assert chosen(Selection.of({"site_category": notifications, "device_type": [0, 7]})) == [
        (timedelta(0), 20, 2, 10.0)
    ]
    assert chosen(Selection.of({"site_category": ["x"]})) == []


def test_segments_are_summed_over_the_windows_of_a_span(url: URL, warehouse: Warehouse) -> None:
    put(
        url,
        TABLES.counts["5min"],
        counts(0, "before", 1, 999, 9, length=5),
        counts(5, "news", 1, 10, 1, length=5),
        counts(5, "games", 0, 30, 3, length=5),
        counts(10, "news", 1, 19, 1, length=5),
        counts(10, "nothing", 1, 0, 0, length=5),
        counts(15, "after", 1, 999, 9, length=5),
    )
    put(url, TABLES.late_events, late(1, 11 * MINUTE, "news", click=1), late(2, 15 * MINUTE, "news", click=1))
    assert warehouse.segments("5min", NOON + 5 * MINUTE, NOON + 15 * MINUTE) == [
        # As many impressions: by name.
        segment("games", 0, 30, 3),
        segment("news", 1, 30, 3),
    ]
    with pytest.raises(ValueError, match="at most"):
        warehouse.segments("1min", NOON, NOON + (MAX_WINDOWS + 1) * MINUTE)


def test_a_read_touches_only_the_windows_it_gives(url: URL, warehouse: Warehouse) -> None:
    with writing_engine(url).begin() as connection:
        connection.execute(
            text(
                "INSERT INTO realtime.counts_1min"
                " SELECT start, start + interval '1 min', 'c' || c, d, 10, 1"
                " FROM generate_series(CAST(:noon AS timestamptz), CAST(:end AS timestamptz), '1 min') start,"
                " generate_series(1, 5) c, generate_series(0, 3) d"
            ),
            {"noon": NOON, "end": NOON + timedelta(days=1)},
        )
    statements: list[tuple[str, Any]] = []

    def remember(*arguments: Any) -> None:
        statements.append(arguments[2:4])

    event.listen(Engine, "before_cursor_execute", remember)
    try:
        assert len(warehouse.latest_windows("1min", 10)) == 10
        assert len(warehouse.series("1min", NOON, NOON + 10 * MINUTE)) == 10
        some = Selection.of({"site_category": ["c1"], "device_type": [1]})
        assert len(warehouse.series("1min", NOON, NOON + 10 * MINUTE, some)) == 10
        assert len(warehouse.segments("1min", NOON, NOON + 10 * MINUTE)) == 20
        assert warehouse.window("1min", NOON) is not None
        assert warehouse.freshness("1min").latest_window_end is not None
    finally:
        event.remove(Engine, "before_cursor_execute", remember)
    with writing_engine(url).begin() as connection:
        connection.execute(text("ANALYZE realtime.counts_1min"))
        plans = [
            "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
            for statement, parameters in statements
            if "_1min" in statement
        ]
    assert len(plans) >= 8
    for plan in plans:
        assert "counts_1min_pkey" in plan
        assert "Seq Scan on counts_1min" not in plan


def test_the_conservation_law_by_partition(url: URL, warehouse: Warehouse) -> None:
    put(
        url,
        LedgerRow,
        ledger(0, 1, 0, 99, late=3, malformed=1),
        ledger(0, 2, 100, 149, unknown_schema=2, invalid=4),
        # A transaction's marker lies at 150.
        ledger(0, 3, 151, 200),
        ledger(0, 1, 10, 19, partition=1),
    )
    first, second = warehouse.ledger_totals("t")
    assert (first.partition, first.first_offset, first.last_offset) == (0, 0, 200)
    assert (first.records_read, first.counted, first.late, first.dead) == (200, 190, 3, 7)
    assert (first.malformed, first.unknown_schema, first.invalid) == (1, 2, 4)
    assert (first.unaccounted, first.uncovered_offsets, first.overlapping_offsets) == (0, 1, 0)
    assert (second.partition, second.records_read, second.uncovered_offsets) == (1, 10, 0)
    assert warehouse.ledger_totals("another topic") == []
    assert warehouse.freshness("1min").latest_written_at is not None


def test_a_broken_law_shows(url: URL, warehouse: Warehouse) -> None:
    put(url, LedgerRow, ledger(0, 1, 0, 99) | {"counted": 98}, ledger(0, 2, 90, 119))
    (totals,) = warehouse.ledger_totals("t")
    assert (totals.unaccounted, totals.overlapping_offsets) == (2, 10)


def test_what_was_read_again_counts_once(url: URL, warehouse: Warehouse) -> None:
    put(
        url,
        LedgerRow,
        ledger(0, 1, 0, 99),
        # The run went back to its checkpoint 1 after this row, whose own checkpoint failed,
        ledger(0, 3, 200, 299),
        # and read the same offsets in other portions (the first took an older row's place).
        ledger(0, 4, 100, 249),
        ledger(0, 5, 250, 349, late=1),
        # A later run began at a checkpoint in between.
        ledger(7, 1, 250, 399, late=2),
        ledger(7, 2, 400, 409),
        # The other partition it has not read yet.
        ledger(0, 1, 0, 9, partition=1),
    )
    first, second = warehouse.ledger_totals("t")
    assert (first.records_read, first.late, first.uncovered_offsets, first.overlapping_offsets) == (
        410,
        2,
        0,
        0,
    )
    assert second.records_read == 10


def test_the_latest_verification_of_a_window_stands(url: URL) -> None:
    def verification(checked: int, accuracy: str) -> dict[str, Any]:
        counts = {
            "expected_impressions": 9,
            "actual_impressions": 8,
            "expected_clicks": 1,
            "actual_clicks": 1,
        }
        moments = {"window_start": NOON, "checked_at": NOON + checked * MINUTE}
        return {"window_type": "1min", "late": 1, "accuracy": accuracy} | counts | moments

    put(url, WindowVerification, verification(5, "100.00"), verification(2, "88.88"))
    with writing_engine(url).connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM quality.window_accuracy"))
        assert (row.window_start, row.accuracy, row.checked_at) == (NOON, 100, NOON + 5 * MINUTE)


def test_the_read_side_cannot_write(url: URL) -> None:
    with reading_engine(url).connect() as connection, pytest.raises(DBAPIError, match="read-only"):
        connection.execute(text("DELETE FROM quality.ledger"))


def test_an_absent_postgres_is_named_in_one_line(url: URL) -> None:
    with silent_port() as port:
        warehouse = Warehouse(url.set(port=port))
        with pytest.raises(
            WarehouseUnavailable, match=rf"^Postgres at 127\.0\.0\.1:{port}/\w+ .*refused[^\n]*$"
        ):
            warehouse.latest_windows("1min", 1)


def test_a_database_that_is_not_migrated_is_named(url: URL) -> None:
    warehouse = Warehouse(url.set(database="postgres"))
    with pytest.raises(WarehouseUnavailable, match=r"is not migrated yet: .* does not exist"):
        warehouse.freshness("1min")
    warehouse.close()


def test_a_reader_finds_a_postgres_that_came_back(
    stores: RunningStack, url: URL, warehouse: Warehouse
) -> None:
    put(url, TABLES.counts["1min"], counts(0, "news", 1, 10, 1))
    before = warehouse.latest_windows("1min", 1)
    stores.stop("postgres")
    try:
        with pytest.raises(WarehouseUnavailable):
            warehouse.latest_windows("1min", 1)
    finally:
        stores.start("postgres")
    assert warehouse.latest_windows("1min", 1) == before
