"""The stack and the Dagster instance of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

from tests.support.isolation import own, use_settings
from tests.support.pipeline import SECONDS, end_all_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import RunningStack


@pytest.fixture(scope="package")
def fresh_stack(stack: RunningStack) -> Iterator[RunningStack]:
    """No topics, no tables, no job."""
    with own(stack.with_settings(**SECONDS), database="empty") as made:
        yield made
        end_all_jobs(made.settings)


@pytest.fixture(autouse=True)
def _settings(fresh_stack: RunningStack, warm_submissions: object, monkeypatch: pytest.MonkeyPatch) -> None:
    del warm_submissions
    use_settings(monkeypatch, fresh_stack)


@pytest.fixture(scope="package")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    # On disk: a schedule is given an instance by reference.
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as made:
        yield made
