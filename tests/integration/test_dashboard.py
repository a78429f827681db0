"""What a reader sees of real traffic is what the two stores hold, and what was sent."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import redis

from tests.oracle import MINUTE_MS
from tests.support.isolation import use_settings
from tests.support.pages import charts, metrics, open_page

if TYPE_CHECKING:
    import pytest

    from tests.support.pipeline import Pipeline

FIVE_MINUTES_MS = 5 * MINUTE_MS
LEFT_CLOSED_MS = FIVE_MINUTES_MS
"""How long ago the window begins that closes: the test's own, as other tests are of other days."""


def test_the_live_page_shows_what_was_counted(job: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = use_settings(monkeypatch, job.stack)
    now_ms = time.time_ns() // 1_000_000
    job.base_ms = now_ms // FIVE_MINUTES_MS * FIVE_MINUTES_MS - LEFT_CLOSED_MS
    job.submit()
    for number in range(400):
        job.event(
            number % 4,
            number * 140,
            click=int(number % 8 == 0),
            site_category=("news", "sports", "games")[number % 3],
            device_type=number % 2,
        )
    job.close_windows(MINUTE_MS)
    expected = {key: value for key, value in job.expected().windows(1).items() if key[0] == job.base_ms}
    job.eventually(lambda: expected.items() <= job.rows(1).items(), "the closed window")
    assert sum(impressions for impressions, _ in expected.values()) == 400

    keys = f"{settings.redis_key_prefix}metrics:1min:"
    with redis.Redis(settings.redis_host, settings.redis_port, decode_responses=True) as client:

        def documents() -> list[dict[str, object]]:
            names = client.zrevrange(f"{keys}index", 0, 1)
            found = [client.get(keys + name) for name in names]
            return [json.loads(str(each)) for each in found]

        job.eventually(
            lambda: (
                [(each["final"], each["total_impressions"]) for each in documents()]
                == [(False, 4), (True, 400)]
            ),
            "both documents",
        )
        growing, closed = documents()

    page = open_page("live")
    shown = metrics(page)
    assert shown["Impressions"] == [str(growing["total_impressions"]), str(closed["total_impressions"])]
    assert shown["Clicks"] == [str(growing["total_clicks"]), str(closed["total_clicks"])] == ["0", "50"]
    assert shown["CTR"] == [f"{each['ctr']:.2f}%" for each in (growing, closed)] == ["0.00%", "12.50%"]
    ((impressions, clicks, ctr),) = job.query(
        "select total_impressions, total_clicks, ctr::float from realtime.metrics_1min"
        " where window_start = to_timestamp(%s)",
        job.base_ms / 1000,
    )
    assert page.dataframe[0].value.iloc[1][["impressions", "clicks", "ctr"]].tolist() == [
        impressions,
        clicks,
        ctr,
    ]
    page = open_page("live", {"split": "final"})
    categories = charts(page)["category-1min"]["data"][0]
    assert dict(zip(categories["y"], categories["x"], strict=True)) == {
        category: sum(figures[0] for key, figures in expected.items() if key[1] == category)
        for category in ("news", "sports", "games")
    }
