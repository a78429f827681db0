"""Avro schemas of the registry by id, as the wire format names them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import fastavro
from confluent_kafka.schema_registry.error import SchemaRegistryError
from fastavro.schema import SchemaParseException, UnknownType

from ctr_platform.defs.registry.client import ask

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

    from contract.settings import Settings


def avro_schema(settings: Settings, client: SchemaRegistryClient, identifier: int) -> Any:
    """The schema of an id; None if the registry does not know it, or it is not Avro.

    Logical types are left out: fastavro would give dates and decimals in place of what was written.

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

    text = ask(settings, look)
    if text is None:
        return None
    try:
        schema = without_logical_types(json.loads(text))
        fastavro.parse_schema(schema)
    except (json.JSONDecodeError, SchemaParseException, UnknownType, KeyError, TypeError):
        return None
    return schema


def without_logical_types(schema: Any) -> Any:
    """A schema whose values are what their bytes say, and no more."""
    if isinstance(schema, list):
        return [without_logical_types(each) for each in schema]
    if isinstance(schema, dict):
        return {name: without_logical_types(each) for name, each in schema.items() if name != "logicalType"}
    return schema
