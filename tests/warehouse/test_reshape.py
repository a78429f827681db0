"""Tables get the columns of another declaration, and keep what they hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, insert, select, text

from contract.stream.load import parse_stream, shipped_stream
from tests.support.stores import writing_engine
from tests.support.tables import TABLES
from tests.support.wide_stream import DECLARATION, SCHEMA
from tests.warehouse.test_migrate import database
from warehouse.migrate import migrate, missing_columns
from warehouse.models.accounting import LedgerRow
from warehouse.models.operation import SubmittedJobRow
from warehouse.models.stream import StreamRow
from warehouse.reads import Warehouse
from warehouse.streams import counted_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from contract.stream.load import DeclaredStream
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

BANNER = """
[[dimensions]]
field = "banner_pos"
title = { en = "Position" }
rates = "banner_ctr"
"""
SITE = """
[[dimensions]]
field = "site_id"
title = { en = "Site" }
blank = "no site's"
"""
DEVICE = shipped_stream().text[shipped_stream().text.index('[[dimensions]]\nfield = "device_type"') :]


def _with(more: str = "", without: str = "") -> DeclaredStream:
    shipped = shipped_stream()
    return parse_stream(shipped.text.replace(without, "") + more, shipped.event_schema)


@pytest.fixture
def url(stores: RunningStack) -> Iterator[URL]:
    with database(stores) as made:
        migrate(made)
        yield made


def _count(url: URL, *rows: tuple[int, str, int, int, int]) -> None:
    """Windows as the job counts them: minute, category, device, impressions, clicks."""
    counted = [
        {
            "window_start": NOON + minute * MINUTE,
            "window_end": NOON + (minute + 1) * MINUTE,
            "site_category": category,
            "device_type": device,
            "impressions": impressions,
            "clicks": clicks,
        }
        for minute, category, device, impressions, clicks in rows
    ]
    with writing_engine(url).begin() as connection:
        connection.execute(insert(TABLES.counts["1min"]), counted)
        recounted = [{name: each[name] for name in each if name != "window_end"} for each in counted]
        connection.execute(insert(TABLES.recount_counts), recounted)
        named = [{"topic": "t", "partition": 0, **each} for each in recounted]
        columns = [each.name for each in TABLES.recount_segments.columns]
        connection.execute(
            insert(TABLES.recount_segments), [{name: each[name] for name in columns} for each in named]
        )
        late: dict[str, Any] = {"topic": "t", "partition": 0, "offset": 7, "click": 1}
        late |= {"site_category": "news", "device_type": 1}
        connection.execute(insert(TABLES.late_events).values(**late, event_time=NOON))
        connection.execute(
            insert(TABLES.recount_late).values(**late, window_start=NOON, after_idleness=False)
        )


def _segments(url: URL) -> list[tuple[dict[str, Any], int, int]]:
    warehouse = Warehouse(url)
    found = warehouse.segments("1min", NOON, NOON + 10 * MINUTE)
    warehouse.close()
    return [(dict(each.dimensions), each.impressions, each.clicks) for each in found]


def test_a_declaration_waits_for_a_cutover_once_something_was_counted(url: URL) -> None:
    _count(url, (0, "news", 1, 10, 1))
    waiting = migrate(url, _with(BANNER)).waiting
    assert waiting.counting == ("split by banner_pos too: column banner_pos, rates banner_ctr",)
    assert missing_columns(url) == []
    assert _segments(url)[0][0] == {"site_category": "news", "device_type": 1}
    # What is only called otherwise needs none.
    text_ = shipped_stream().text.replace('"Device type"', '"Device"')
    assert migrate(url, parse_stream(text_, shipped_stream().event_schema)).waiting.nothing
    with writing_engine(url).connect() as connection:
        assert counted_stream(connection).tables.columns[1].title == "Device"


def test_an_unused_database_takes_any_stream(url: URL) -> None:
    declared = _with(SITE, without=DEVICE)
    assert migrate(url, declared).waiting.nothing
    assert missing_columns(url) == []
    with writing_engine(url).connect() as connection:
        counted = counted_stream(connection)
        assert counted.tables.dimensions == ("site_category", "site_id")
        assert (counted.counted_from, dict(counted.since)) == (None, {})
        stored = connection.execute(text("SELECT * FROM realtime.metrics_5min"))
        assert [*stored.keys()][-2:] == ["category_ctr", "site_id_ctr"]


def test_an_added_dimension_says_nothing_of_earlier_windows(url: URL) -> None:
    _count(url, (0, "news", 1, 10, 1), (0, "games", 0, 5, 5), (1, "news", 1, 20, 2))
    since = NOON + 5 * MINUTE
    assert migrate(url, _with(BANNER + SITE), reshape_from=since).waiting.nothing
    nothing = {"banner_pos": -1, "site_id": "no site's"}
    assert _segments(url) == [
        ({"site_category": "news", "device_type": 1, **nothing}, 31, 4),
        ({"site_category": "games", "device_type": 0, **nothing}, 5, 5),
    ]
    with writing_engine(url).connect() as connection:
        counted = counted_stream(connection)
        assert counted.since == {"banner_pos": since, "site_id": since}
        for table in counted.tables.all_tables:
            kept = connection.scalar(select(func.count()).select_from(table))
            assert kept == {"counts_5min": 0, "repair_counts": 0, "raw_events": 0, "counts_1min": 3}.get(
                table.name, 3 if table.name in {"recount_counts", "recount_segments"} else 1
            )
    assert missing_columns(url) == []


def test_a_removed_dimension_is_summed_away(url: URL) -> None:
    _count(url, (0, "news", 1, 10, 1), (0, "news", 0, 5, 5), (0, "games", 0, 2, 0), (1, "news", 1, 20, 2))
    migrate(url, _with(without=DEVICE), reshape_from=NOON + 5 * MINUTE)
    assert _segments(url) == [({"site_category": "news"}, 36, 9), ({"site_category": "games"}, 2, 0)]
    warehouse = Warehouse(url)
    window = warehouse.window("1min", NOON)
    assert window is not None
    # 10 + 5 and the late one; of 16 impressions 7 were clicked.
    assert window.rates == {"site_category": {"news": 43.75, "games": 0.0}}
    warehouse.close()
    with writing_engine(url).connect() as connection:
        tables = counted_stream(connection).tables
        assert connection.scalar(select(func.count()).select_from(tables.recount_segments)) == 3
        assert connection.scalar(select(func.count()).select_from(tables.recount_counts)) == 3


def test_a_dimension_that_comes_again_counts_from_then_on(url: URL) -> None:
    _count(url, (0, "news", 1, 10, 1))
    migrate(url, _with(BANNER), reshape_from=NOON + 5 * MINUTE)
    migrate(url, _with(), reshape_from=NOON + 10 * MINUTE)
    with writing_engine(url).connect() as connection:
        assert counted_stream(connection).tables == TABLES
        assert counted_stream(connection).since == {}
    migrate(url, _with(BANNER), reshape_from=NOON + 15 * MINUTE)
    with writing_engine(url).connect() as connection:
        assert counted_stream(connection).since == {"banner_pos": NOON + 15 * MINUTE}
        assert connection.scalar(select(func.count()).select_from(StreamRow)) == 4


def test_a_dimension_is_exchanged_for_another(url: URL) -> None:
    _count(url, (0, "news", 1, 10, 1), (0, "news", 0, 5, 5))
    migrate(url, _with(SITE, without=DEVICE), reshape_from=NOON + 5 * MINUTE)
    assert _segments(url) == [({"site_category": "news", "site_id": "no site's"}, 16, 7)]
    assert missing_columns(url) == []


def test_a_kept_field_that_becomes_a_dimension_has_its_type(stores: RunningStack) -> None:
    """Raw events keep a boolean as one; a dimension's values are texts."""
    dimension = DECLARATION[DECLARATION.index('[[dimensions]]\nfield = "is_app"') :].split("[[", 2)[1]
    kept = DECLARATION.replace(f"[[{dimension}", "").replace("[event]", '[event]\nkept = ["is_app"]')
    with database(stores) as url:
        migrate(url, parse_stream(kept, json.dumps(SCHEMA)))
        kind = text(
            "select data_type from information_schema.columns where (table_name, column_name) ="
            " ('raw_events', 'is_app')"
        )
        with writing_engine(url).begin() as connection:
            assert connection.scalar(kind) == "boolean"
            connection.execute(insert(SubmittedJobRow).values(job_id="a" * 32))
        migrate(url, parse_stream(DECLARATION, json.dumps(SCHEMA)), reshape_from=NOON)
        with writing_engine(url).connect() as connection:
            assert connection.scalar(kind) == "text"
        assert missing_columns(url) == []


def test_a_dimension_does_not_become_a_sum_of_the_same_name(url: URL) -> None:
    _count(url, (0, "news", 1, 10, 1))
    measure = '\n[[measures]]\nfield = "C21"\ncolumn = "device_type"\ntitle = { en = "x" }\n'
    found = migrate(url, _with(measure, without=DEVICE), reshape_from=NOON).waiting
    assert found.refused == (
        "device_type changes between a dimension and a sum: give the new one another `column`",
    )


def test_another_stream_is_refused_where_something_was_counted(url: URL) -> None:
    _count(url, (0, "news", 1, 10, 1))
    shipped = shipped_stream()
    other = parse_stream(shipped.text + '\n[topics]\nraw = "others"\n', shipped.event_schema)
    found = migrate(url, other, reshape_from=NOON).waiting
    assert found.refused == ("the topics are other ones",)
    with writing_engine(url).connect() as connection:
        assert counted_stream(connection).stream.text == shipped.text


def test_a_ledger_without_windows_is_use_too(url: URL) -> None:
    values = dict.fromkeys(("records_read", "counted", "late", "malformed", "unknown_schema", "invalid"), 0)
    with writing_engine(url).begin() as connection:
        connection.execute(
            insert(LedgerRow).values(
                topic="t",
                partition=0,
                first_offset=0,
                last_offset=0,
                checkpoint_id=1,
                job_id="j",
                run_started_at=NOON,
                **values,
            )
        )
    assert not migrate(url, _with(BANNER)).waiting.nothing
