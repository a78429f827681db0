"""Avro schemas of the registry by id, as the wire format names them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka.schema_registry.error import SchemaRegistryError

from contract.wire import event_type
from ctr_platform.defs.registry.client import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

    from contract.avro import Record
    from contract.settings import Settings

AVRO: Final = "AVRO"


def event_type_of(settings: Settings, client: SchemaRegistryClient, identifier: int) -> Record | None:
    """The type of the events of a schema id; None if the registry does not know it, or it is no Avro record.

    Raises:
        CtrError: the registry is unavailable: then nothing is known of the id.
    """

    def look() -> tuple[Schema, list[Schema]] | None:
        try:
            schema = client.get_schema(identifier)
            return schema, list(_referenced(client, schema, set()))
        except SchemaRegistryError as error:
            if error.http_status_code == HTTPStatus.NOT_FOUND:
                return None
            raise

    found = ask(settings, look)
    if found is None or any(each.schema_type != AVRO for each in (found[0], *found[1])):
        return None
    try:
        schema, *referenced = [_parsed(each) for each in (found[0], *found[1])]
    except (json.JSONDecodeError, RecursionError):
        return None
    return event_type(schema, referenced)


def _parsed(schema: Schema) -> Any:
    return json.loads(schema.schema_str or "")


def _referenced(client: SchemaRegistryClient, schema: Schema, seen: set[tuple[str, int]]) -> Iterator[Schema]:
    """The schemas that one refers to, directly or not, each once and behind those it refers to itself."""
    for reference in schema.references or ():
        place = (str(reference.subject), int(reference.version or 0))
        if place not in seen:
            seen.add(place)
            found = client.get_version(*place).schema
            if found is not None:
                yield from _referenced(client, found, seen)
                yield found
