"""Rows of a click log are read with their types, and bad ones are named by line."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import UsageError
from contract.stream.load import DeclaredStream, load_stream, shipped_stream
from ctr_platform.loadgen.click_log import read_rows
from ctr_platform.loadgen.log_columns import Row
from tests.support.streams import SCHEMA, declare

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "id,click,hour,C1,banner_pos,site_id,site_category,device_ip,device_type,C20"
GOOD = "1000009418151094273,1,14102100,1005,0,1fbe01fe,28905ebd,ddd2926e,1,-1"


def read(path: Path, stream: DeclaredStream | None = None) -> tuple[list[Row], dict[int, str]]:
    bad: dict[int, str] = {}
    rows = list(read_rows(path, stream or shipped_stream(), bad.__setitem__))
    return rows, bad


def written(folder: Path, *lines: str, name: str = "log.csv") -> Path:
    path = folder / name
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        file.write("\n".join(lines))
    return path


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
def test_columns_come_through_unchanged_with_the_schema_s_types(tmp_path: Path, name: str) -> None:
    rows, bad = read(written(tmp_path, HEADER, GOOD, name=name))
    assert bad == {}
    assert rows == [
        Row(
            hour=14102100,
            click=1,
            event={
                "id": "1000009418151094273",
                "click": 1,
                "hour": 14102100,
                "C1": 1005,
                "banner_pos": 0,
                "site_id": "1fbe01fe",
                "site_category": "28905ebd",
                "device_ip": "ddd2926e",
                "device_type": 1,
                "C20": -1,
            },
        )
    ]


def test_columns_may_come_in_any_order_among_others(tmp_path: Path) -> None:
    names, cells = HEADER.split(","), GOOD.split(",")
    path = written(
        tmp_path, ",".join(["more", *reversed(names)]), ",".join(["x", *reversed(cells)]), HEADER[:0]
    )
    rows, bad = read(path)
    assert bad == {}
    assert rows[0].event["site_id"] == "1fbe01fe"
    assert "more" not in rows[0].event


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD + ",1", "11 columns instead of 10"),
        (GOOD.removesuffix(",-1"), "9 columns instead of 10"),
        (GOOD.replace(",1,14", ",2,14"), "click is 2"),
        (GOOD.replace(",1,14", ",,14"), "click is ''"),
        (GOOD.replace("14102100", "14102124"), "hour is 14102124"),
        (GOOD.replace("14102100", "14139900"), "hour is 14139900"),
        (GOOD.replace("1005", "1_005"), "C1 is '1_005'"),
        (GOOD.replace("1005", "2147483648"), "C1 is '2147483648'"),
        (GOOD.replace("1005", "\u0661\u0660"), "C1 is"),
        ('"' + GOOD, "unexpected end of data"),
    ],
)
def test_a_bad_row_is_named_and_left_out(tmp_path: Path, line: str, reason: str) -> None:
    rows, bad = read(written(tmp_path, HEADER, GOOD, "", line))
    assert len(rows) == 1
    assert list(bad) == [4]
    assert reason in bad[4]


def test_what_follows_a_bad_row_is_read(tmp_path: Path) -> None:
    rows, bad = read(written(tmp_path, HEADER, GOOD, "nonsense", GOOD))
    assert (len(rows), list(bad)) == (2, [3])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no header"),
        ([GOOD, GOOD], "no header"),
        ([HEADER.replace(",device_ip", "")], "lacks the columns device_ip"),
    ],
)
def test_a_file_without_its_columns_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(written(tmp_path, *lines))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    whole = written(tmp_path, HEADER, *[GOOD] * 1000, name="whole.csv.gz").read_bytes()
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(whole[:-20])
    for path, said in (
        (tmp_path / "none.csv", "no such file"),
        (tmp_path, "folder"),
        (cut, "not a whole gzip"),
    ):
        with pytest.raises(UsageError, match=said):
            read(path)


@given(st.binary(max_size=300))
def test_no_content_is_fatal_in_another_way(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)
    rows, bad = read(path)
    assert len(rows) + len(bad) <= content.count(b"\n") + content.count(b"\r") + 1


def test_a_file_is_what_it_holds_whatever_it_is_called(tmp_path: Path) -> None:
    packed = gzip.compress(f"{HEADER}\n{GOOD}\n".encode())
    for name, content in (
        ("a.csv", packed),
        ("B.CSV.GZ", packed),
        ("c.csv.gz", f"{HEADER}\n{GOOD}".encode()),
        ("bom.csv", f"\ufeff{HEADER}\r\n{GOOD}\r\n".encode()),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        rows, bad = read(path)
        assert (len(rows), bad) == (1, {}), name


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_found(tmp_path: Path, delimiter: str) -> None:
    rows, bad = read(written(tmp_path, HEADER.replace(",", delimiter), GOOD.replace(",", delimiter)))
    assert bad == {}
    assert rows[0].event["site_id"] == "1fbe01fe"


def test_whole_numbers_may_be_written_as_pandas_does(tmp_path: Path) -> None:
    floats = GOOD.replace("1005", "1005.0").replace(",0,", ",0.0,").replace(",-1", ",-1.00")
    rows, bad = read(written(tmp_path, HEADER, floats, GOOD.replace("1005", "1005.5")))
    assert [(row.event["C1"], row.event["banner_pos"], row.event["C20"]) for row in rows] == [(1005, 0, -1)]
    assert "C1 is '1005.5'" in bad[3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'"id,click\n1,2\n', "no CSV file"),
        (b"PK\3\4rest", "zip archive"),
        (b"\x28\xb5\x2f\xfdrest", "zstd"),
        ("id,click".encode("utf-16"), "UTF-16"),
        (b"\0" * 64, "no header"),
    ],
)
def test_what_is_no_csv_file_is_refused_in_a_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said) as refused:
        read(path)
    assert "\n" not in str(refused.value)


def other(folder: Path, replay: str) -> DeclaredStream:
    return load_stream(declare(folder, more=f"[replay]\n{replay}\n"))


OTHER_HEADER = "at,campaign,position,clicked,kind,seconds,local,cost,rate"


def cells(at: str, **changed: str) -> str:
    """A good row of another stream, changed."""
    row = {"campaign": "a", "position": "1", "clicked": "true", "kind": "VIEW"}
    row |= {"seconds": "1", "local": "1", "cost": "5", "rate": "0.5"}
    return ",".join([at, *(row | changed).values()])


@pytest.mark.parametrize(
    ("form", "at", "hour", "within_us"),
    [
        ("iso", "2026-01-31 09:30:00.000001", 26013109, 1_800_000_001),
        ("iso", "2026-01-31T09:30:00Z", 26013109, 1_800_000_000),
        ("iso", "2026-01-31 00:30:00+09:00", 26013015, 1_800_000_000),
        ("s", "1769850000", 26013109, 0),
        ("s", "1769850000.25", 26013109, 250_000),
        ("ms", "1769850000001", 26013109, 1000),
        ("us", "1769850000000001", 26013109, 1),
        ("%d.%m.%Y %H:%M", "31.01.2026 09:30", 26013109, 1_800_000_000),
        ("%Y%m%d%H", "2026013109.0", 26013109, None),
        ("%y%m%d%H", "6013109", 6013109, None),
        ("%Y-%m-%d", "2026-01-31", 26013100, None),
    ],
)
def test_a_time_is_read_as_declared(
    tmp_path: Path, form: str, at: str, hour: int, within_us: int | None
) -> None:
    stream = other(tmp_path, f'time = {{ column = "at", format = "{form}" }}')
    rows, bad = read(written(tmp_path, OTHER_HEADER, cells(at)), stream)
    assert bad == {}
    assert (rows[0].hour, rows[0].within_us) == (hour, within_us)
    assert "at" not in rows[0].event


@pytest.mark.parametrize(
    ("form", "at", "said"),
    [
        ("iso", "yesterday", "at is yesterday, not a time in ISO 8601"),
        ("ms", "-1", "at is -1, not ms since the epoch"),
        ("s", "99999999999999999999", "at is 99999999999999999999, not s since the epoch"),
        ("%Y%m%d%H", "2026013124", "at is 2026013124, not of the form %Y%m%d%H"),
    ],
)
def test_a_time_that_is_none_is_named(tmp_path: Path, form: str, at: str, said: str) -> None:
    stream = other(tmp_path, f'time = {{ column = "at", format = "{form}" }}')
    assert read(written(tmp_path, OTHER_HEADER, cells(at)), stream) == ([], {2: said})


def test_without_a_word_a_log_has_the_names_and_the_unit_of_the_events(tmp_path: Path) -> None:
    stream = load_stream(declare(tmp_path))
    header = OTHER_HEADER.replace("at,", "ts,") + ",event_id"
    rows, bad = read(written(tmp_path, header, cells("1769850000000001") + ",x"), stream)
    assert bad == {}
    assert (rows[0].hour, rows[0].within_us, rows[0].click) == (26013109, 1, 1)
    assert rows[0].event == {
        "event_id": "x",
        "campaign": "a",
        "position": 1,
        "clicked": True,
        "kind": "VIEW",
        "seconds": 1,
        "local": 1,
        "cost": 5,
        "rate": 0.5,
    }


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"clicked": "perhaps"}, "clicked is 'perhaps', not true or false"),
        ({"kind": "view"}, "kind is 'view', not one of VIEW, CLICK"),
        ({"rate": "much"}, "rate is 'much', not a number"),
        ({"rate": "nan"}, "rate is 'nan', not a finite number"),
        ({"cost": "9223372036854775808"}, "cost is '9223372036854775808', not a whole number of 64 bits"),
    ],
)
def test_a_cell_of_another_type_is_named(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    stream = other(tmp_path, 'time = { column = "at", format = "s" }')
    assert read(written(tmp_path, OTHER_HEADER, cells("1", **changed)), stream) == ([], {2: said})


def test_columns_of_other_names_are_found_and_missing_ones_named_so(tmp_path: Path) -> None:
    stream = other(tmp_path, 'time = { column = "at", format = "s" }\ncolumns = { position = "place" }')
    header = OTHER_HEADER.replace("position", "place")
    rows, _ = read(written(tmp_path, header, cells("1")), stream)
    assert rows[0].event["position"] == 1
    with pytest.raises(UsageError, match=r"lacks the columns place: \[replay\] of stream.toml says"):
        read(written(tmp_path, OTHER_HEADER, cells("1")), stream)


@pytest.mark.parametrize(("cell", "click"), [("Y", 1), ("N", 0), ("", 0)])
def test_a_click_is_what_is_declared_to_be_one(tmp_path: Path, cell: str, click: int) -> None:
    stream = other(tmp_path, 'time = { column = "at", format = "s" }\nclicked = "Y"')
    rows, bad = read(written(tmp_path, OTHER_HEADER, cells("1", clicked=cell)), stream)
    assert bad == {}
    assert (rows[0].click, rows[0].event["clicked"]) == (click, bool(click))


def test_what_may_be_null_may_be_blank_or_missing(tmp_path: Path) -> None:
    stream = other(tmp_path, 'time = { column = "at", format = "s" }')
    rows, _ = read(written(tmp_path, OTHER_HEADER, cells("1", campaign="")), stream)
    assert rows[0].event["campaign"] is None
    lines = [",".join(each.split(",")[:1] + each.split(",")[2:]) for each in (OTHER_HEADER, cells("1"))]
    rows, bad = read(written(tmp_path, *lines), stream)
    assert bad == {}
    assert "campaign" not in rows[0].event


def test_made_ids_are_those_of_the_file_and_the_row(tmp_path: Path) -> None:
    stream = other(tmp_path, 'time = { column = "at", format = "s" }')
    lines = [OTHER_HEADER, cells("1"), cells("x"), cells("1")]
    rows, bad = read(written(tmp_path, *lines), stream)
    ids = [row.event["event_id"] for row in rows]
    assert list(bad) == [3]
    assert len(set(ids)) == 2
    for name in ("other name.csv", "packed.csv.gz"):
        again, _ = read(written(tmp_path, *lines, name=name), stream)
        assert [row.event["event_id"] for row in again] == ids
    others, _ = read(written(tmp_path, *lines, cells("2")), stream)
    assert not set(ids) & {row.event["event_id"] for row in others}


def test_a_schema_that_no_csv_can_hold_is_refused(tmp_path: Path) -> None:
    schema = {
        **SCHEMA,
        "fields": [*SCHEMA["fields"], {"name": "tags", "type": {"type": "array", "items": "int"}}],
    }
    stream = load_stream(declare(tmp_path, schema=schema))
    with pytest.raises(UsageError, match="A CSV cannot hold the schema's tags: give it a default"):
        read(written(tmp_path, OTHER_HEADER, cells("1")), stream)
