"""The commands as a person runs them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.ports import HOST, load_ports
from ctr_platform.devstack.processes import stack_processes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stack

COMMAND_TIMEOUT_S = 120


def command(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ctr_platform", *arguments],
        env={**os.environ, "CTR_HOME": str(home), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ctr(home: Path, *arguments: str) -> tuple[int, str, str]:
    """Run to the end: exit status, output, errors."""
    with command(home, *arguments) as process:
        out, err = process.communicate(timeout=COMMAND_TIMEOUT_S)
    return process.returncode, out, err


def test_a_detached_stack_from_up_to_down(home: Path) -> None:
    code, out, err = ctr(home, "up", "--detach", "--free-ports", "--only", "redis,postgres")
    assert (code, err) == (0, "")
    assert "ready  postgres" in out

    code, out, _ = ctr(home, "status", "--json")
    rows = json.loads(out)
    assert code == 0
    assert [row["name"] for row in rows] == ["postgres", "redis"]
    assert {row["state"] for row in rows} <= {"running", "starting"}
    assert all(row["memory_bytes"] > 1_000_000 and row["uptime_s"] >= 0 for row in rows)

    _, out, _ = ctr(home, "env")
    shell = subprocess.run(
        ["sh", "-c", f"{out}\nprintf %s $REDIS_PORT"], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(shell.stdout) == load_ports(StackPaths(home).ports_file, free=False)["redis"]

    code, out, _ = ctr(home, "logs", "redis", "-n", "1000")
    assert code == 0
    assert "Ready to accept connections" in out

    assert ctr(home, "down")[:2] == (0, "stopped\n")
    assert ctr(home, "down")[:2] == (0, "nothing was running\n")
    assert stack_processes(home) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_foreground_stack(home: Path, number: signal.Signals) -> None:
    with command(home, "up", "--free-ports", "--only", "redis") as process:
        assert process.stdout is not None
        while "Ctrl-C" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        out, err = process.communicate(timeout=COMMAND_TIMEOUT_S)
    # Not all of it: a signal in the middle of a print makes rich print that line twice.
    assert (process.returncode, out.splitlines()[-1], err) == (0, "stopped", "")
    assert stack_processes(home) == []


def test_a_foreground_up_ends_when_the_stack_is_stopped_elsewhere(home: Path) -> None:
    with command(home, "up", "--free-ports", "--only", "redis") as process:
        assert process.stdout is not None
        while "Ctrl-C" not in process.stdout.readline():
            assert process.poll() is None
        assert ctr(home, "down")[0] == 0
        out, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
    assert (process.returncode, out) == (0, "stopped\n")


@pytest.mark.parametrize("name", ["status", "env"])
def test_a_stack_that_is_down_is_said_in_one_line(home: Path, name: str) -> None:
    code, out, err = ctr(home, name)
    assert (code, out) == (3, "")
    assert err == f"ctr: the stack in {home} is down: start it by `ctr up`\n"


def test_the_doctor_finds_this_machine_fit_or_names_a_taken_port(home: Path) -> None:
    paths = StackPaths(home)
    paths.create()
    ports = load_ports(paths.ports_file, free=True)
    code, out, err = ctr(home, "doctor")
    assert (code, err) == (0, ""), out
    assert "missing" not in out
    with socket.socket() as server:
        server.bind((HOST, ports["kafka"]))
        server.listen()
        code, out, _ = ctr(home, "doctor")
    assert code == 1
    assert f"port {ports['kafka']}, which kafka needs, is taken" in out
