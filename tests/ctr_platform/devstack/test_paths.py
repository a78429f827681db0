from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctr_platform.errors import CtrError
from ctr_platform.stack.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path


def test_secrets_and_the_control_socket_are_this_users_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "home")
    layout.create()
    password = layout.password()
    assert len(password) >= 32
    assert layout.password() == password
    assert layout.password("ctr_reader") not in {password, ""}
    assert (layout.home / "ctr_reader.password").stat().st_mode & 0o077 == 0
    assert (layout.home / "postgres.password").stat().st_mode & 0o077 == 0
    assert layout.run.stat().st_mode & 0o077 == 0


def test_a_home_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CtrError, match="too long for a socket"):
        Layout(tmp_path / ("x" * 100)).create()


def test_a_home_that_scripts_would_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CtrError, match="choose another folder"):
        Layout(tmp_path / "my data").create()


def test_a_home_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CtrError, match="cannot use CTR_HOME"):
        Layout(tmp_path / "file" / "home").create()
