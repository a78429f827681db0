"""Schemas of the registry by id, as the wire format names them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from confluent_kafka.schema_registry.error import SchemaRegistryError

from ctr_platform.registry.client import ask

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

    from ctr_platform.settings import Settings


def schema_text(settings: Settings, client: SchemaRegistryClient, identifier: int) -> str | None:
    """The text of a schema; None if the registry says that it does not know the id.

    Raises:
        CtrError: the registry is away: then nothing is known of the id.
    """

    def look() -> str | None:
        try:
            return client.get_schema(identifier).schema_str
        except SchemaRegistryError as error:
            if error.http_status_code == HTTPStatus.NOT_FOUND:
                return None
            raise

    return ask(settings, look)
