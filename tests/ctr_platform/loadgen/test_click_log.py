"""Rows of a click log are read with their types, and bad ones are named by line."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import UsageError
from contract.stream.load import shipped_stream
from ctr_platform.loadgen.click_log import read_rows
from ctr_platform.loadgen.log_columns import Row

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "id,click,hour,C1,banner_pos,site_id,site_category,device_ip,device_type,C20"
GOOD = "1000009418151094273,1,14102100,1005,0,1fbe01fe,28905ebd,ddd2926e,1,-1"


def read(path: Path) -> tuple[list[Row], dict[int, str]]:
    bad: dict[int, str] = {}
    rows = list(read_rows(path, shipped_stream(), bad.__setitem__))
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
