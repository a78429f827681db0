"""Kafka and a registry beside the session's stack, for tests that fill, empty and stop them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from confluent_kafka.admin import AdminClient

from ctr_platform.kafka.topics import TOPIC_CONFIGS
from tests.support.stack import RunningStack, running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctr_platform.settings import Settings


@pytest.fixture(scope="session")
def brokers() -> Iterator[RunningStack]:
    """Kafka and a registry; nobody else's topics are in it."""
    with running_stack(("kafka", "registry")) as running:
        yield running


@pytest.fixture
def kafka_settings(brokers: RunningStack) -> Settings:
    """Settings of a Kafka without any of the platform's topics."""
    admin = AdminClient({"bootstrap.servers": brokers.settings.kafka_bootstrap_servers})
    present = [name for name in TOPIC_CONFIGS if name in admin.list_topics(timeout=30).topics]
    if present:
        for deleted in admin.delete_topics(present).values():
            deleted.result(30)
    return brokers.settings
