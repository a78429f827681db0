"""What services are told of where they are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.ports import DEFAULT_PORTS
from ctr_platform.devstack.service import Context
from ctr_platform.devstack.services.kafka import kafka

if TYPE_CHECKING:
    from pathlib import Path


def test_kafka_tells_its_clients_to_look_where_the_platform_looks(tmp_path: Path) -> None:
    """That may be a proxy: it listens at its own port all the same."""
    paths = StackPaths(tmp_path)
    paths.create()
    formatted = paths.data / "kafka" / "meta.properties"
    formatted.parent.mkdir()
    formatted.touch()
    environment = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:5"}
    kafka(Context(paths, DEFAULT_PORTS, "", {"kafka": ()}, environment)).prepare()
    lines = (paths.conf / "kafka.properties").read_text(encoding="utf-8").splitlines()
    assert "advertised.listeners=PLAINTEXT://127.0.0.1:5" in lines
    port, controller = DEFAULT_PORTS["kafka"], DEFAULT_PORTS["kafka-controller"]
    assert f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}" in lines
