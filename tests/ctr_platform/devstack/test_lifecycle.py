"""Starting, stopping and what can go wrong, with the two services that start fastest."""

from __future__ import annotations

import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

import psycopg2
import pytest
from redis import Redis

from contract.errors import CtrError
from ctr_platform.devstack.lifecycle import start, stop
from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.ports import HOST, load_ports
from ctr_platform.devstack.processes import stack_processes, wait_ended
from ctr_platform.devstack.supervise import Supervisor
from tests.support.stack import Recorder, settings_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stack

FAST = ["postgres", "redis"]


def up(home: Path) -> Recorder:
    recorder = Recorder()
    start(home, names=FAST, free_ports=True, report=recorder)
    return recorder


def redis_of(home: Path) -> Redis:
    settings = settings_of(home)
    return Redis(host=settings.redis_host, port=settings.redis_port)


def test_data_survives_and_down_leaves_nothing(home: Path) -> None:
    assert sorted(up(home).ready_names) == FAST
    with redis_of(home) as client:
        client.set("kept", "yes")
    settings = settings_of(home)
    for database in ("marketing_roas", "registry", "dagster"):
        psycopg2.connect(
            settings.postgres_url.set(drivername="postgresql", database=database).render_as_string(
                hide_password=False
            )
        ).close()
    assert stop(home)
    assert stack_processes(home) == []
    paths = StackPaths(home)
    assert not paths.stack_env.exists()
    assert not paths.socket.exists()
    up(home)
    with redis_of(home) as client:
        assert client.get("kept") == b"yes"


def test_down_is_idempotent(home: Path) -> None:
    assert not stop(home)
    up(home)
    assert stop(home)
    assert not stop(home)


def test_a_second_up_is_refused_and_disturbs_nothing(home: Path) -> None:
    up(home)
    with pytest.raises(CtrError, match="is up already"):
        up(home)
    with redis_of(home) as client:
        assert client.ping()


def test_two_starts_at_once_give_one_stack(home: Path) -> None:
    outcomes: list[str] = []

    def attempt() -> None:
        try:
            up(home)
            outcomes.append("up")
        except CtrError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused, won = sorted(outcomes, key=lambda outcome: outcome == "up")
    assert won == "up"
    assert "is just starting" in refused or "is up already" in refused


def test_a_taken_port_stops_the_start_before_anything_runs(home: Path) -> None:
    paths = StackPaths(home)
    paths.create()
    port = load_ports(paths.ports_file, free=True)["redis"]
    with socket.socket() as server:
        server.bind((HOST, port))
        server.listen()
        with pytest.raises(CtrError, match=f"port {port}, which redis needs, is taken"):
            start(home, names=FAST, free_ports=False, report=Recorder())
    assert stack_processes(home) == []


def test_after_a_kill_of_the_supervisor_the_next_up_ends_what_it_left(home: Path) -> None:
    up(home)
    pid = int(StackPaths(home).pid_file.read_text())
    os.kill(pid, signal.SIGKILL)
    assert wait_ended([pid], 10) == []
    orphans = {process.pid for process in stack_processes(home)}
    assert orphans, "postgres and redis outlive their supervisor"
    recorder = up(home)
    assert any("left by a stack that was killed" in note for note in recorder.notes)
    assert not orphans & {process.pid for process in stack_processes(home)}
    with redis_of(home) as client:
        assert client.ping()


def test_after_a_kill_of_the_supervisor_down_ends_what_it_left(home: Path) -> None:
    up(home)
    pid = int(StackPaths(home).pid_file.read_text())
    os.kill(pid, signal.SIGKILL)
    assert wait_ended([pid], 10) == []
    assert stop(home)
    assert stack_processes(home) == []


def test_a_service_that_dies_at_its_start_is_explained_in_one_line(home: Path) -> None:
    up(home)
    stop(home)
    manifest = StackPaths(home).data / "redis" / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("garbage\n")
    with pytest.raises(CtrError) as caught:
        up(home)
    text = str(caught.value)
    assert text.startswith("redis ended while it started: ")
    assert text.endswith(f"log: {StackPaths(home).log('redis')}")
    assert "\n" not in text
    assert stack_processes(home) == []
    assert not StackPaths(home).stack_env.exists()


def test_an_unknown_service_is_named_with_those_that_exist(home: Path) -> None:
    with pytest.raises(CtrError, match=r"no service 'kafak': there are postgres, redis, kafka"):
        start(home, names=["kafak"], free_ports=True, report=Recorder())


def test_what_a_service_needs_comes_with_it_in_order(home: Path) -> None:
    recorder = Recorder()
    start(home, names=["registry"], free_ports=True, report=recorder)
    assert recorder.ready_names == ["postgres", "registry"]
    assert set(Supervisor(StackPaths(home)).states()) == {"postgres", "registry"}
