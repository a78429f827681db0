"""Names of values: a dimension's rows are its file, those of others are let alone; reads are bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, text

from contract.errors import WarehouseUnavailable
from contract.stream.load import parse_stream, shipped_stream
from tests.support.stores import silent_port, writing_engine
from tests.warehouse.test_migrate import database
from warehouse import reads
from warehouse.dimension_names import keep_names
from warehouse.migrate import migrate
from warehouse.models.stream import DimensionNameRow
from warehouse.reads import MAX_NAME_CHARACTERS, Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

DEVICES = {"0": "Other", "1": "Mobile", "4": "PC"}


@pytest.fixture
def warehouse(url: URL) -> Iterator[Warehouse]:
    reader = Warehouse(url)
    yield reader
    reader.close()


def _put(url: URL, dimension: str, names: dict[str, str]) -> None:
    rows = [{"dimension": dimension, "value": value, "name": name} for value, name in names.items()]
    with writing_engine(url).begin() as connection:
        connection.execute(insert(DimensionNameRow), rows)


def _rows(url: URL) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    with writing_engine(url).connect() as connection:
        query = select(DimensionNameRow.dimension, DimensionNameRow.value, DimensionNameRow.name)
        for dimension, value, name in connection.execute(query):
            found.setdefault(dimension, {})[value] = name
    return found


def test_the_rows_of_a_dimension_are_those_of_its_file(url: URL) -> None:
    _put(url, "site_category", {"50e219e0": "News"})
    assert keep_names(url, {"device_type": DEVICES}) == 3
    assert _rows(url) == {"site_category": {"50e219e0": "News"}, "device_type": DEVICES}
    assert keep_names(url, {"device_type": DEVICES}) == 0
    changed = {"0": "Other", "1": "Phone", "5": "TV"}
    assert keep_names(url, {"device_type": changed}) == 3
    assert _rows(url) == {"site_category": {"50e219e0": "News"}, "device_type": changed}
    # A file with its header alone names nothing; no file is another matter.
    assert keep_names(url, {}) == 0
    assert keep_names(url, {"device_type": {}}) == 3
    assert _rows(url) == {"site_category": {"50e219e0": "News"}}


def test_what_does_not_change_is_not_written(url: URL) -> None:
    keep_names(url, {"device_type": DEVICES})
    query = text("SELECT xmin::text FROM realtime.dimension_names ORDER BY value")
    with writing_engine(url).connect() as connection:
        before = connection.scalars(query).all()
    keep_names(url, {"device_type": DEVICES | {"4": "Desktop"}})
    with writing_engine(url).connect() as connection:
        after = connection.scalars(query).all()
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, False]


def test_any_text_of_a_file_is_kept_but_for_nul(url: URL) -> None:
    keep_names(url, {"device_type": {"a'b": "<b>x</b>", "n\0l": "x", "1": "n\0l", "{": '"\\', "": " "}})
    assert _rows(url)["device_type"] == {"a'b": "<b>x</b>", "1": "n\ufffdl", "{": '"\\', "": " "}


def test_before_the_table_is_there_nothing_is_done(stores: RunningStack) -> None:
    with database(stores) as url:
        assert keep_names(url, {"device_type": DEVICES}) == 0


def test_postgres_that_is_away_is_one_line(url: URL) -> None:
    with silent_port() as port, pytest.raises(WarehouseUnavailable, match="does not answer"):
        keep_names(url.set(port=port), {"device_type": DEVICES})


def test_readers_get_the_names_of_counted_dimensions(url: URL, warehouse: Warehouse) -> None:
    assert warehouse.names() == {}
    keep_names(url, {"device_type": DEVICES, "banner_pos": {"1": "Top"}})
    _put(url, "site_category", {"50e219e0": "N" * 300})
    assert warehouse.names() == {
        "site_category": {"50e219e0": "N" * MAX_NAME_CHARACTERS},
        "device_type": DEVICES,
    }


def test_the_dashboards_login_reads_them(stores: RunningStack, url: URL) -> None:
    keep_names(url, {"device_type": DEVICES})
    reader = Warehouse(stores.settings.postgres_reader_url)
    assert reader.names() == {"device_type": DEVICES}
    reader.close()


@pytest.mark.parametrize(
    ("held", "read"), [((9, 9), (3, 3)), ((9, 1), (5, 1)), ((2, 9), (2, 4)), ((3, 3), (3, 3))]
)
def test_they_are_bounded_and_each_dimension_has_its_share(
    url: URL,
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    held: tuple[int, int],
    read: tuple[int, int],
) -> None:
    monkeypatch.setattr(reads, "MAX_NAMES", 6)
    _put(url, "site_category", {str(number): f"Site {number}" for number in range(held[0])})
    _put(url, "device_type", {str(number): f"Device {number}" for number in range(held[1])})
    found = warehouse.names()
    assert tuple(len(found[each]) for each in ("site_category", "device_type")) == read
    assert list(found["site_category"]) == [str(number) for number in range(read[0])]


def test_a_dimension_that_is_counted_no_more_has_none(stores: RunningStack) -> None:
    shipped = shipped_stream()
    device = shipped.text[shipped.text.index('[[dimensions]]\nfield = "device_type"') :]
    with database(stores) as url:
        migrate(url, parse_stream(shipped.text.replace(device, ""), shipped.event_schema))
        keep_names(url, {"device_type": DEVICES})
        reader = Warehouse(url)
        assert reader.names() == {}
        reader.close()
