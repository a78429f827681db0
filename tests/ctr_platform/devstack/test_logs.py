from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError
from ctr_platform.devstack.logs import following, last_lines, log_files
from ctr_platform.devstack.paths import StackPaths

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> StackPaths:
    made = StackPaths(tmp_path)
    made.create()
    made.log("kafka").write_text("one\ntwo\nthree\n")
    return made


def test_last_lines(paths: StackPaths) -> None:
    assert last_lines(paths.log("kafka"), 2) == ["two", "three"]


def test_an_unknown_service_is_named_with_those_that_wrote(paths: StackPaths) -> None:
    with pytest.raises(CtrError, match="no log of 'kafak': there are kafka"):
        log_files(paths, "kafak")


def test_following_joins_parts_and_survives_rotation(paths: StackPaths) -> None:
    log = paths.log("kafka")
    with following(log_files(paths, None)) as lines:
        with log.open("a") as stream:
            stream.write("fo")
            stream.flush()
            stream.write("ur\n")
        assert next(lines) == ("kafka", "four")
        log.rename(log.with_suffix(".log.1"))
        log.write_text("five\n")
        assert next(lines) == ("kafka", "five")
