"""A stack that several stop and watch at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ctr_platform.devstack.lifecycle import start, stop
from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.supervise import Supervisor
from tests.support.stack import Recorder

if TYPE_CHECKING:
    from pathlib import Path


def test_two_that_stop_it_and_one_that_watches_all_see_it_end(home: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        [redis] = start(home, names=["redis"], free_ports=True, report=Recorder())
        supervisor = Supervisor(StackPaths(home))
        stopping = [pool.submit(stop, home) for _ in range(2)]
        while states := supervisor.states():
            assert set(states) == {redis.name}
        assert True in {each.result() for each in stopping}
        assert supervisor.states() == {}
