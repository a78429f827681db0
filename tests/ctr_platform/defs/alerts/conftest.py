"""A warehouse, and a real receiver of webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from tests.support.receiver import Receiver, receiving
from tests.support.stores import empty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.settings import Settings
    from tests.support.stack import RunningStack


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def settings(stores: RunningStack, receiver: Receiver) -> Settings:
    """An empty book and a webhook."""
    empty(stores.settings.postgres_url)
    return stores.settings.model_copy(update={"alert_webhook_url": SecretStr(receiver.url)})
