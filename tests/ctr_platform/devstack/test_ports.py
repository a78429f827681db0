from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError
from ctr_platform.devstack.ports import DEFAULT_PORTS, HOST, is_free, load_ports, require_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def test_the_first_start_keeps_the_default_numbers(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    assert load_ports(file, free=False) == DEFAULT_PORTS
    assert load_ports(file, free=False) == DEFAULT_PORTS


def test_free_ports_are_free_all_different_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    ports = load_ports(file, free=True)
    assert len(set(ports.values())) == len(DEFAULT_PORTS)
    assert all(is_free(port) for port in ports.values())
    assert load_ports(file, free=False) == ports


def test_free_ports_replace_only_the_taken_one(tmp_path: Path, taken: int) -> None:
    file = tmp_path / "ports.json"
    ports = load_ports(file, free=True)
    file.write_text(file.read_text().replace(str(ports["kafka"]), str(taken)))
    again = load_ports(file, free=True)
    assert again["kafka"] != taken
    assert {**again, "kafka": 0} == {**ports, "kafka": 0}


def test_a_taken_port_is_named_with_its_service_and_holder(taken: int) -> None:
    ports = {"kafka": taken}
    with pytest.raises(CtrError) as caught:
        require_free(ports, ["kafka"])
    assert str(caught.value).startswith(f"port {taken}, which kafka needs, is taken by ")
    assert f"(pid {os.getpid()})" in str(caught.value)
