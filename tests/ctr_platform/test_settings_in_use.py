"""Whoever edits the declaration of a stream that runs disturbs nothing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from sqlalchemy import insert

from contract.errors import InvalidStream
from contract.stream.load import FILE, SHIPPED
from ctr_platform.defs.warehouse.assets import STREAM_CHECK, migrations
from ctr_platform.resources import Platform
from ctr_platform.settings_in_use import settings_in_use
from tests.support.isolation import use_settings
from tests.support.stores import empty, silent_port, writing_engine
from warehouse.models.operation import SubmittedJobRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack


@pytest.fixture
def folder(stores: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The shipped declaration, in a folder of its own; the warehouse counts it."""
    url = use_settings(monkeypatch, stores).postgres_url
    empty(url)
    with writing_engine(url).begin() as connection:
        connection.execute(insert(SubmittedJobRow).values(job_id="a" * 32))
    made = tmp_path / "stream"
    shutil.copytree(SHIPPED, made)
    monkeypatch.setenv("CTR_STREAM", str(made))
    yield made
    empty(url)


def _edit(folder: Path, old: str, new: str) -> None:
    file = folder / FILE
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def _check() -> tuple[bool, str]:
    done = dg.materialize([migrations], resources={"platform": Platform()})
    assert done.success
    (found,) = [each for each in done.get_asset_check_evaluations() if each.check_name == STREAM_CHECK.name]
    return found.passed, found.description or ""


def test_a_half_written_file_is_told_and_changes_nothing(folder: Path) -> None:
    assert settings_in_use().declared_stream().text == (folder / FILE).read_text(encoding="utf-8")
    _edit(folder, "[event]", "[event")
    settings = settings_in_use()
    assert settings.raw_topic.endswith(".ad_events_raw")
    assert settings.declared_stream().text == (SHIPPED / FILE).read_text(encoding="utf-8")
    passed, said = _check()
    assert not passed
    assert said.startswith("stream.toml:")
    with pytest.raises(InvalidStream):
        Platform().declared_settings().declared_stream()


def test_topics_stay_those_that_are_counted(folder: Path) -> None:
    _edit(folder, "[event]", '[topics]\nraw = "elsewhere"\n\n[event]')
    assert settings_in_use().raw_topic.endswith(".ad_events_raw")
    assert Platform().declared_settings().raw_topic.endswith(".elsewhere")
    passed, said = _check()
    assert not passed
    assert "the topics are other ones" in said


def test_before_anything_is_on_record_it_is_what_is_declared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent_port() as port:
        monkeypatch.setenv("POSTGRES_PORT", str(port))
        _edit(folder, "[event]", '[topics]\nraw = "elsewhere"\n\n[event]')
        assert settings_in_use().raw_topic.endswith(".elsewhere")
