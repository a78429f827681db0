"""The app is called what the counted stream is called, and has a title whatever is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.stream.load import parse_stream, shipped_stream
from dashboard.components.headings import app_title
from dashboard.components.stores import read_anew
from tests.dashboard.examples import english, korean
from tests.support.isolation import own, use_settings
from tests.support.stores import silent_port
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack


def test_the_title_is_the_streams_in_the_readers_language(settings: Settings) -> None:
    del settings
    read_anew()
    assert app_title(english()) == "Ad click-through rate"
    assert app_title(korean()) == "광고 클릭률"


def test_another_stream_has_another_title(
    stores: RunningStack, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings
    shipped = shipped_stream()
    text = shipped.text.replace(
        'title = { en = "Ad click-through rate", ko = "광고 클릭률" }', 'title = { en = "Shop\\nads" }'
    )
    with own(stores, database="empty") as mine:
        migrate(mine.settings.postgres_url, parse_stream(text, shipped.event_schema))
        use_settings(monkeypatch, mine)
        read_anew()
        assert app_title(english()) == app_title(korean()) == "Shop␊ads"
    read_anew()


def test_without_postgres_there_is_a_title(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    del settings
    with silent_port() as port:
        monkeypatch.setenv("POSTGRES_PORT", str(port))
        read_anew()
        assert app_title(english()) == "Ad click-through rate"
    monkeypatch.setenv("REDIS_PORT", "many")
    read_anew()
    assert app_title(english()) == "Ad CTR"
    assert app_title(korean()) == "광고 CTR"
