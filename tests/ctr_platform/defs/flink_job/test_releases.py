"""A release is the job's code by its content."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError, UsageError
from contract.settings import Settings
from ctr_platform.defs.flink_job.deploy import reading, understood
from ctr_platform.defs.flink_job.releases import INSTALLED, find_release, make_release, release_name
from ctr_platform.defs.kafka.epochs import Epoch
from tests.flink.configs import CONFIG

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(release_dir=tmp_path / "releases")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    shutil.copytree(INSTALLED / "flink", tmp_path / "code" / "flink")
    return tmp_path / "code"


def test_the_same_code_is_the_same_release_wherever_it_lies(settings: Settings, code: Path) -> None:
    made = make_release(settings)
    assert made == make_release(settings, code) == find_release(settings, made.name)
    assert release_name(made.folder) == made.name
    assert made.ingest_sources.is_dir()
    assert [folder.name for folder in settings.release_dir.iterdir()] == [made.name]


def test_the_java_sources_of_version_0_1_are_found_where_it_had_them(settings: Settings, code: Path) -> None:
    (code / "flink" / "ingest").rename(code / "flink" / "front")
    made = make_release(settings, code)
    assert made.ingest_sources == made.folder / "flink" / "front" / "src" / "main" / "java"
    assert made.ingest_sources.is_dir()


def test_code_of_before_there_were_epochs_is_told_of_none(settings: Settings, code: Path) -> None:
    config_file = code / "flink" / "config.py"
    config_file.write_text(config_file.read_text(encoding="utf-8").replace("topic_epoch", "something"))
    old, new = make_release(settings, code), make_release(settings)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    first, second = (
        Epoch(topic="ad_events_raw", number=number, topic_id="id", began_at=began) for number in (1, 2)
    )
    assert reading(first, CONFIG, old) == CONFIG
    with pytest.raises(UsageError, match="from_nothing"):
        reading(second, CONFIG, old)
    assert reading(second, CONFIG, new) == replace(CONFIG, topic_id="id", topic_epoch=2)


def test_code_with_a_schema_of_its_own_is_told_of_none(settings: Settings, code: Path) -> None:
    config_file = code / "flink" / "config.py"
    config_file.write_text(config_file.read_text(encoding="utf-8").replace("reader_schema", "something"))
    old, new = make_release(settings, code), make_release(settings)
    assert "reader_schema" not in json.loads(understood(CONFIG, old).to_json())
    assert understood(CONFIG, new) == CONFIG


def test_changed_code_is_another_release_and_leaves_the_first_alone(settings: Settings, code: Path) -> None:
    first = make_release(settings, code)
    with (code / "flink" / "sql" / "windows.sql").open("a") as file:
        file.write("-- changed\n")
    second = make_release(settings, code)
    assert second.name != first.name
    assert release_name(first.folder) == first.name


def test_what_python_leaves_behind_is_no_code(settings: Settings, code: Path) -> None:
    before = make_release(settings, code)
    (code / "flink" / "__pycache__").mkdir(exist_ok=True)
    (code / "flink" / "__pycache__" / "job.pyc").write_bytes(b"x")
    assert make_release(settings, code) == before


def test_a_folder_without_code_and_a_release_that_is_gone_say_what_to_do(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(CtrError, match="holds no package `flink`"):
        make_release(settings, tmp_path)
    with pytest.raises(CtrError, match="does not hold release abc"):
        find_release(settings, "abc")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CtrError, match="cannot be written"):
        make_release(Settings(release_dir=tmp_path / "file" / "releases"))
