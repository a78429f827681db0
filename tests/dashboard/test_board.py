"""Of two stores that both know a window, the right one is shown."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from dashboard.board import WINDOWS_SHOWN, merge
from dashboard.breakdown import MAX_PARTS, Part, by_category, by_device
from warehouse.windows import Segment, Window, WindowDetail, WindowDocument

MINUTE_MS = 60_000


def row(minute: int, impressions: int = 1) -> Window:
    return Window(
        window_type="1min",
        window_start_ms=minute * MINUTE_MS,
        window_end_ms=(minute + 1) * MINUTE_MS,
        impressions=impressions,
        clicks=0,
        ctr=0.0,
    )


def document(
    minute: int, impressions: int = 1, *, final: bool, segments: tuple[Segment, ...] = ()
) -> WindowDocument:
    return WindowDocument(
        **asdict(row(minute, impressions)),
        category_ctr={},
        device_ctr={},
        segments=segments,
        final=final,
        revision=0,
        written_ms=0,
    )


@pytest.mark.parametrize(
    ("documents", "history", "shown"),
    [
        ([], [], []),
        ([document(5, final=False)], [row(4)], [(5, 1, False), (4, 1, True)]),
        # Rows of a window that just closed arrive in portions.
        ([document(4, 90, final=True)], [row(4, 70)], [(4, 90, True)]),
        # Redis was away when the window closed.
        ([document(4, 70, final=False)], [row(4, 90)], [(4, 90, True)]),
        # Postgres is away.
        ([document(5, 2, final=False), document(4, 90, final=True)], [], [(5, 2, False), (4, 90, True)]),
    ],
)
def test_each_window_is_shown_once(
    documents: list[WindowDocument], history: list[Window], shown: list[tuple[int, int, bool]]
) -> None:
    merged = merge(documents, history)
    assert [
        (each.window.window_start_ms // MINUTE_MS, each.window.impressions, each.final) for each in merged
    ] == shown


def test_no_more_windows_than_fit() -> None:
    merged = merge([document(100, final=False)], [row(minute) for minute in range(99, 50, -1)])
    assert len(merged) == WINDOWS_SHOWN
    assert not merged[0].final


def detail(*segments: tuple[str, int | None, int, int]) -> WindowDetail:
    names = ("site_category", "device_type", "impressions", "clicks")
    parts = tuple(Segment(**dict(zip(names, each, strict=True))) for each in segments)  # type: ignore[arg-type]
    return document(1, final=True, segments=parts)


def test_a_window_is_split_by_each_dimension() -> None:
    window = detail(("news", 1, 30, 3), ("sports", 1, 20, 5), ("news", 0, 10, 1))
    assert by_category(window) == [
        Part(label="news", impressions=40, ctr=10.0),
        Part(label="sports", impressions=20, ctr=25.0),
    ]
    assert by_device(window) == [
        Part(label="1", impressions=50, ctr=16.0),
        Part(label="0", impressions=10, ctr=10.0),
    ]


def test_many_parts_end_in_a_sum_of_the_rest() -> None:
    window = detail(*((f"c{number}", 1, 100 - number, 1) for number in range(MAX_PARTS + 2)))
    parts = by_category(window)
    assert len(parts) == MAX_PARTS
    assert parts[-1] == Part(label="3 more", impressions=93 + 92 + 91, ctr=1.09)
    assert sum(part.impressions for part in parts) == sum(each.impressions for each in window.segments)


def test_segments_that_a_document_sums_have_no_device() -> None:
    assert [part.label for part in by_device(detail(("news", 1, 30, 3), ("other", None, 5, 0)))] == [
        "1",
        "other",
    ]
