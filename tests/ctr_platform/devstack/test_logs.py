from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctr_platform.errors import CtrError
from ctr_platform.stack.layout import Layout
from ctr_platform.stack.logs import following, last_lines, log_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path)
    made.create()
    made.log("kafka").write_text("one\ntwo\nthree\n")
    return made


def test_last_lines(layout: Layout) -> None:
    assert last_lines(layout.log("kafka"), 2) == ["two", "three"]


def test_an_unknown_service_is_named_with_those_that_wrote(layout: Layout) -> None:
    with pytest.raises(CtrError, match="no log of 'kafak': there are kafka"):
        log_files(layout, "kafak")


def test_following_joins_parts_and_survives_rotation(layout: Layout) -> None:
    log = layout.log("kafka")
    with following(log_files(layout, None)) as lines:
        with log.open("a") as stream:
            stream.write("fo")
            stream.flush()
            stream.write("ur\n")
        assert next(lines) == ("kafka", "four")
        log.rename(log.with_suffix(".log.1"))
        log.write_text("five\n")
        assert next(lines) == ("kafka", "five")
