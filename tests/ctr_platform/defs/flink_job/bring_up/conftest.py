"""The stack and the Dagster instance of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

from ctr_platform.settings import Settings
from ctr_platform.stack.catalog import DATA_SERVICES
from tests.support.stack import running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import RunningStack


@pytest.fixture(scope="package")
def fresh_stack() -> Iterator[RunningStack]:
    """A stack of its own: what is made here has the contract's names."""
    with running_stack(DATA_SERVICES) as running:
        yield running


@pytest.fixture(autouse=True)
def _settings(fresh_stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("CTR_HOME", str(fresh_stack.home))


@pytest.fixture(scope="package")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    # On disk: a schedule is given an instance by reference.
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as made:
        yield made
