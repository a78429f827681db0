"""A warehouse, and a real receiver of webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from tests.support.receiver import Receiver, receiving
from tests.support.stack import running_stack
from tests.support.stores import empty
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctr_platform.settings import Settings
    from tests.support.stack import RunningStack


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="session")
def warehouse() -> Iterator[RunningStack]:
    with running_stack(("postgres",)) as running:
        migrate(running.settings.postgres_url)
        yield running


@pytest.fixture
def settings(warehouse: RunningStack, receiver: Receiver) -> Settings:
    """An empty book and a webhook."""
    empty(warehouse.settings.postgres_url)
    return warehouse.settings.model_copy(update={"alert_webhook_url": SecretStr(receiver.url)})
