"""The shipped stream's fields are spelled in its declaration, and nowhere else in the code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from contract.stream.load import shipped_stream
from tests.support.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOMS = ("contract", "ctr_platform", "dashboard", "flink", "warehouse")
KINDS = {".py", ".sql", ".java", ".toml", ".yaml", ".json"}
WORDS = {"id", "click", "hour", "timestamp"}
"""Fields whose names are words of any program."""

HISTORY = (
    "contract/streams/",  # the declaration itself
    "warehouse/migrations/",
    "warehouse/sql/0",  # what migrations run
    "flink/version_0_1.json",  # what submissions of version 0.1 mean
    "flink/ingest/src/test/",
)


def _names() -> set[str]:
    stream = shipped_stream()
    rates = {each.rates_name for each in stream.declaration.dimensions}
    return {*stream.fields, *rates} - WORDS


def _files() -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            built = {"target", "__pycache__", "node_modules"} & set(path.parts)
            if path.suffix in KINDS and not built and not name.startswith(HISTORY):
                yield path


def test_the_search_would_find_them() -> None:
    assert {"site_category", "device_type", "banner_pos", "C1", "category_ctr"} <= _names()
    assert len(list(_files())) > 300


@pytest.mark.parametrize("path", [pytest.param(each, id=str(each.relative_to(ROOT))) for each in _files()])
def test_no_code_names_a_field_of_the_shipped_stream(path: Path) -> None:
    found = re.findall(rf"\b(?:{'|'.join(sorted(_names()))})\b", path.read_text(encoding="utf-8"))
    assert not found
