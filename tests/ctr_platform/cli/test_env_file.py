"""The file of secrets: private, random, never lost."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from dotenv import dotenv_values

from contract.errors import CtrError
from ctr_platform.cli import env_file
from ctr_platform.cli.env_file import SECRETS, write_secrets
from ctr_platform.cli.init_secrets import init_secrets

if TYPE_CHECKING:
    from pathlib import Path


def test_every_secret_is_random_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    assert write_secrets(file) == list(SECRETS)
    assert file.stat().st_mode & 0o777 == 0o600
    first = dotenv_values(file)
    assert set(first) == set(SECRETS)
    assert all(
        value and len(value) >= 32 and value.replace("_", "").replace("-", "").isalnum()
        for value in first.values()
    )
    write_secrets(file, replace=True)
    assert not set(first.items()) & set(dotenv_values(file).items())
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_a_file_that_is_there_stays_as_it_is_unless_asked(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("mine")
    with pytest.raises(CtrError, match=r"is there already.*--add.*--replace"):
        write_secrets(file)
    assert file.read_text() == "mine"


def test_what_a_newer_release_needs_is_added_and_the_rest_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    write_secrets(file)
    with file.open("a") as opened:
        opened.write("REDIS_HOST=mine")
    before = file.read_text()
    assert write_secrets(file, add=True) == []
    monkeypatch.setattr(env_file, "SECRETS", (*SECRETS, "ANOTHER"))
    assert write_secrets(file, add=True) == ["ANOTHER"]
    assert file.read_text().startswith(f"{before}\nANOTHER=")


def test_the_command_names_what_it_wrote_and_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / ".env"
    init_secrets(file)
    init_secrets(file, add=True)
    assert capsys.readouterr().out == f"{file}: {', '.join(SECRETS)}\n{file}: nothing was missing\n"
    with pytest.raises(CtrError, match="choose one"):
        init_secrets(file, add=True, replace=True)
    done = subprocess.run(
        [sys.executable, "-m", "ctr_platform", "init-secrets", "--file", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"ctr: {file} is there already")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["absent/.env", "."])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(CtrError, match="cannot write"):
        write_secrets(tmp_path / name, replace=True)
