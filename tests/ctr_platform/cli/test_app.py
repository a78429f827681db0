"""The command line as a whole: exit statuses."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError, InvalidSetting, Refused, StackDown, UsageError
from ctr_platform.cli.app import exit_status

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("kind", "status"), [(CtrError, 1), (Refused, 1), (UsageError, 2), (InvalidSetting, 2), (StackDown, 3)]
)
def test_each_meaning_of_an_error_has_its_exit_status(kind: type[CtrError], status: int) -> None:
    assert exit_status(kind("why")) == status


def test_a_bad_setting_ends_a_command_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ctr_platform", "dead-letters", "list"],
        env={"CTR_HOME": str(tmp_path), "REDIS_PORT": "seven"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ctr: REDIS_PORT='seven'")
    assert done.stderr.count("\n") == 1


def modules_after(arguments: list[str], home: Path) -> set[str]:
    """Packages that a command has imported when it ends."""
    program = (
        "import sys; from ctr_platform.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('\\n' + ' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={"CTR_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


SLOW = {
    *("alembic", "confluent_kafka", "dagster", "fastavro", "great_expectations", "httpx", "numpy", "pandas"),
    *("plotly", "pydantic_settings", "pyflink", "redis", "sqlalchemy", "streamlit", "tenacity", "xmlrpc"),
}
COMMANDS = ["up", "down", "status", "env", "logs", "doctor", "fetch", "watch", "produce", "replay"]


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["dead-letters", "list", "--help"], *([name, "--help"] for name in COMMANDS)],
    ids=" ".join,
)
def test_help_imports_nothing_slow(arguments: list[str], tmp_path: Path) -> None:
    imported = modules_after(arguments, tmp_path)
    assert "typer" in imported
    assert imported & SLOW == set()


HEAVY = {
    *("alembic", "confluent_kafka", "dagster", "great_expectations", "pandas", "plotly", "pyflink", "redis"),
    "streamlit",
}


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["status"], {"httpx", "sqlalchemy"}),
        (["produce", "--span", "1m"], {"confluent_kafka", "numpy"}),  # refused: --count is missing
        (["dead-letters", "show", "x"], {"typer"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_short_commands_import_no_more_than_they_need(
    arguments: list[str], needed: set[str], tmp_path: Path
) -> None:
    imported = modules_after(arguments, tmp_path)
    assert needed <= imported
    assert imported & (HEAVY - needed) == set()
