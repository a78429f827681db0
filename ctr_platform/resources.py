"""What definitions are handed: the settings, and clients of the services by them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import dagster as dg

from contract.settings import Settings, load_settings
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.kafka.topics import (
    ConfigDrift,
    TopicContent,
    TopicState,
    correct_topics,
    describe_topics,
    ensure_topics,
)
from ctr_platform.defs.registry.subject import RegisteredSchema, ensure_subject
from warehouse.cache import Cache
from warehouse.reads import Warehouse


class Platform(dg.ConfigurableResource[None]):
    """Access to the settings, read anew in each run and tick."""

    def settings(self) -> Settings:
        """Read the settings.

        Raises:
            CtrError: a variable holds a value that cannot be used.
        """
        return load_settings()


class FlinkRest(Platform):
    """Flink's REST API."""

    def cluster(self) -> FlinkCluster:
        """Return a client, a context manager that closes it."""
        return FlinkCluster(self.settings().flink_rest_url)


class Kafka(Platform):
    """The platform's topics."""

    def describe_topics(self) -> list[TopicContent]:
        """Ask what the topics hold now."""
        return describe_topics(self.settings())

    def ensure_topics(self) -> list[TopicState]:
        """Create what is missing, and correct what has drifted."""
        return ensure_topics(self.settings())

    def correct_topics(self) -> dict[str, tuple[ConfigDrift, ...]]:
        """Correct what has drifted, and create nothing; return the drift by topic."""
        return correct_topics(self.settings())


class Registry(Platform):
    """The Schema Registry."""

    def ensure_subject(self) -> RegisteredSchema:
        """Register the schema of the raw topic's values, and its rule of compatibility."""
        return ensure_subject(self.settings())


class WarehouseReads(Platform):
    """The read side of Postgres."""

    @contextmanager
    def open(self) -> Iterator[Warehouse]:
        """Give a reader, which is closed at the end."""
        warehouse = Warehouse(self.settings().postgres_url)
        try:
            yield warehouse
        finally:
            warehouse.close()


class CacheReads(Platform):
    """The read side of Redis."""

    @contextmanager
    def open(self) -> Iterator[Cache]:
        """Give a reader, which is closed at the end."""
        settings = self.settings()
        warehouse = Warehouse(settings.postgres_url)
        try:
            tables = warehouse.stream().tables
        finally:
            warehouse.close()
        cache = Cache(settings.redis_host, settings.redis_port, settings.redis_key_prefix, tables)
        try:
            yield cache
        finally:
            cache.close()


RESOURCES: Final[dict[str, Any]] = {
    "platform": Platform(),
    "flink": FlinkRest(),
    "kafka": Kafka(),
    "registry": Registry(),
    "warehouse": WarehouseReads(),
    "cache": CacheReads(),
}
"""By the names of the parameters that ask for them."""
