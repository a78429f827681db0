"""Which addresses the processes of a stack listen on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from ctr_platform.devstack.processes import stack_processes

if TYPE_CHECKING:
    from pathlib import Path


def listening_addresses(home: Path) -> set[tuple[str, int]]:
    """(host, port) of every TCP listener."""
    found = set()
    for process in stack_processes(home):
        for connection in process.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                host, port = connection.laddr[:2]
                found.add((host, port))
    return found
