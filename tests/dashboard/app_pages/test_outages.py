"""A store that is away is named, with since when; the other's figures stay, and the page recovers."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.pages import charts, metrics, open_page, run, said, titled
from tests.support.traffic import put_hour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.settings import Settings
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack


@contextmanager
def away(stores: RunningStack, *names: str) -> Iterator[None]:
    for name in names:
        stores.stop(name)
    try:
        yield
    finally:
        for name in names:
            stores.start(name)


def since(text: str) -> str:
    found = re.search(r"since (\d\d:\d\d:\d\d)", text, re.IGNORECASE)
    assert found
    return found[1]


def test_without_redis_the_final_windows_stay(settings: Settings, stores: RunningStack) -> None:
    put_hour(settings, "1min")
    with away(stores, "redis"):
        page = open_page("live")
        ((title, why),) = titled(page.warning)
        assert title == "Redis does not answer"
        assert "only final windows are shown, from Postgres" in why
        assert f"Redis at 127.0.0.1:{settings.redis_port}" in why
        assert "recovers by itself" in why
        assert metrics(page)["Impressions"] == ["—", "60,000"]
        assert metrics(page)["Event to screen"] == ["—"]
        # The open window cannot be split; the last closed one can.
        assert charts(page)["category-1min"]["data"][0]["x"] == [51_000, 9_000]
        # Nobody knows whether events come in.
        assert not page.info
        first = since(why)
        assert since(titled(run(page).warning)[0][1]) == first
    assert not run(page).warning
    assert metrics(page)["Impressions"][1] == "60,000"


def test_without_postgres_the_live_part_goes_on(settings: Settings, stores: RunningStack) -> None:
    put_hour(settings, "1min")
    pages = {name: open_page(name) for name in ("live", "comparison", "quality", "health")}
    with away(stores, "postgres"):
        for name, page in pages.items():
            run(page)
            ((title, why),) = titled(page.warning)
            assert title == "Postgres does not answer", name
            assert f"Postgres at 127.0.0.1:{settings.postgres_port}" in why
            assert since(why)
            assert not page.error
        live = pages["live"]
        assert "only windows that Redis still holds are shown" in titled(live.warning)[0][1]
        assert metrics(live)["Impressions"] == ["1,234", "60,000"]
        assert charts(live)["windows-1min"]["data"][0]["y"] == [60_000, 1_234]
        assert "whether the job is looked after is not known" in said(live)
        # What a reader has chosen holds for what is there.
        live.query_params["category"] = "sports"
        assert metrics(run(live))["Impressions"] == ["34", "9,000"]
        table = pages["health"].dataframe[0].value.set_index("service")
        assert table.loc["Postgres", "state"][0] == "does not answer"
        assert table.loc["Redis", "state"][0] == "answers"
    for page in pages.values():
        assert not run(page).warning


def test_without_either_it_says_so_and_recovers(settings: Settings, stores: RunningStack) -> None:
    put_hour(settings, "1min")
    with away(stores, "redis", "postgres"):
        page = open_page("live", {"lang": "en"})
        ((title, why),) = titled(page.error)
        assert title == "Neither store answers"
        assert {line.split(" since ")[0] for line in why.splitlines() if " since " in line} == {
            "Redis",
            "Postgres",
        }
        assert not page.metric
        assert not page.warning
        korean = open_page("live", {"lang": "ko"})
        assert korean.error
        assert not korean.error[0].title.isascii()
    assert not run(page).error
    assert metrics(page)["Impressions"] == ["1,234", "60,000"]
