from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctr_platform.devstack.doctor import Finding, check_liveness
from tests.support.refusing import refusing_registry
from tests.support.stores import silent_port

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTR_HOME", str(tmp_path))


def _registry(home: Path) -> Finding:
    return next(each for each in check_liveness(home) if each.subject == "registry")


def test_a_registry_that_refuses_access_is_a_fault_and_an_absent_one_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refusing_registry(401) as url:
        monkeypatch.setenv("SCHEMA_REGISTRY_URL", url)
        found = _registry(tmp_path)
    assert not found.good
    assert found.text.startswith(f"The Schema Registry at {url} refuses access (HTTP 401): ")
    assert "\n" not in found.text
    with silent_port() as port:
        monkeypatch.setenv("SCHEMA_REGISTRY_URL", f"http://127.0.0.1:{port}")
        assert _registry(tmp_path).good
