"""Which services a stack has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.stream.load import SHIPPED
from ctr_platform.artifacts.fetch import fetch
from ctr_platform.devstack.environment import stack_environment
from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.ports import load_ports
from ctr_platform.devstack.service import Context
from ctr_platform.devstack.service_list import ARTIFACTS, DATA_SERVICES, catalog
from tests.support.documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def _context(paths: StackPaths) -> Context:
    ports = load_ports(paths.ports_file, free=True)
    artifacts = fetch(ARTIFACTS, on_transfer=lambda _transfer: None)
    return Context(paths, ports, "secret", artifacts, stack_environment(paths, ports, "secret"))


@pytest.mark.parametrize(
    ("folder", "sends"), [(SHIPPED, "200 events/s"), (ROOT / "examples" / "open_bandit", None)]
)
def test_the_demonstration_sends_what_the_stream_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path, sends: str | None
) -> None:
    monkeypatch.setenv("CTR_STREAM", str(folder))
    paths = StackPaths(tmp_path)
    paths.create()
    services = catalog(_context(paths))
    assert {*DATA_SERVICES} <= {each.name for each in services}
    assert next((each.address for each in services if each.name == "traffic"), None) == sends
