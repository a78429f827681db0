"""Files are for machines: the same whatever the reader's language, locale and time zone."""

from __future__ import annotations

import pytest

from dashboard.components.download import csv_of
from tests.support.pages import csv_rows


def test_rows_come_with_their_columns() -> None:
    rows = [
        {"window_start": "2026-03-05T14:05:00+00:00", "impressions": 1_234_567, "ctr_percent": 8.91},
        {"window_start": "2026-03-05T14:04:00+00:00", "impressions": 0, "ctr_percent": 0.0},
    ]
    assert csv_of(rows) == (
        "window_start,impressions,ctr_percent\r\n"
        "2026-03-05T14:05:00+00:00,1234567,8.91\r\n"
        "2026-03-05T14:04:00+00:00,0,0.0\r\n"
    )


def test_what_names_hold_comes_back_as_it_was() -> None:
    names = ["a,b", 'say "x"', "two\nlines", "a\rb", "한국어", " ", ""]
    assert [row["name"] for row in csv_rows(csv_of([{"name": name, "other": 1} for name in names]))] == names


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_finds_no_formula(name: str) -> None:
    (row,) = csv_rows(csv_of([{"name": name, "change": -1.5}]))
    assert row == {"name": f"'{name}", "change": "-1.5"}


def test_what_is_not_known_is_empty() -> None:
    assert csv_of([{"a": None, "b": 1}]) == "a,b\r\n,1\r\n"


def test_nothing_is_an_empty_file() -> None:
    assert csv_of([]) == ""
