from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError
from ctr_platform.devstack.paths import StackPaths

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose sockets have names of a length that the system takes, wherever the tests run."""
    with tempfile.TemporaryDirectory(prefix="ctr-") as folder:
        yield Path(folder)


def test_secrets_and_the_control_socket_are_this_users_alone(short_path: Path) -> None:
    paths = StackPaths(short_path / "home")
    paths.create()
    password = paths.password()
    assert len(password) >= 32
    assert paths.password() == password
    assert paths.password("ctr_reader") not in {password, ""}
    assert (paths.home / "ctr_reader.password").stat().st_mode & 0o077 == 0
    assert (paths.home / "postgres.password").stat().st_mode & 0o077 == 0
    assert paths.run.stat().st_mode & 0o077 == 0


def test_a_home_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CtrError, match="too long for a socket"):
        StackPaths(tmp_path / ("x" * 100)).create()


def test_a_home_that_scripts_would_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CtrError, match="choose another folder"):
        StackPaths(tmp_path / "my data").create()


def test_a_home_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CtrError, match="cannot use CTR_HOME"):
        StackPaths(tmp_path / "file" / "h").create()
