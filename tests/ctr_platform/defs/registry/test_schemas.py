"""What schema ids stand for, at a real registry: few requests, whatever ids garbage holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from ctr_platform.defs.registry.client import registry_client
from ctr_platform.defs.registry.schemas import FAR_ABOVE, MANY_UNKNOWN, WriterSchemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.settings import Settings

pytestmark = pytest.mark.stack

RECORD: dict[str, Any] = {
    "type": "record",
    "name": "written",
    "fields": [{"name": "id", "type": "string"}],
}


class _Asked:
    """Counts the schema ids that a client asks for."""

    def __init__(self, client: SchemaRegistryClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ids: list[int] = []
        get_schema = client.get_schema

        def asked(schema_id: int, *more: Any) -> Schema:
            self.ids.append(schema_id)
            return get_schema(schema_id, *more)

        monkeypatch.setattr(client, "get_schema", asked)


@pytest.fixture
def client(kafka_settings: Settings) -> Iterator[SchemaRegistryClient]:
    with registry_client(kafka_settings) as made:
        yield made


def test_ids_far_above_the_newest_are_not_asked_for(
    kafka_settings: Settings, client: SchemaRegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = client.register_schema(kafka_settings.raw_subject, Schema(json.dumps(RECORD), "AVRO"))
    asked = _Asked(client, monkeypatch)
    schemas = WriterSchemas(kafka_settings, client, kept=False)
    for identifier in range(1 << 30, (1 << 30) + 5_000):
        assert schemas.event_type(identifier) is None
    assert len(asked.ids) == MANY_UNKNOWN
    assert schemas.event_type(-1) is None
    assert len(asked.ids) == MANY_UNKNOWN
    assert schemas.event_type(known) is not None
    # It may be given any moment, so it is asked for each time.
    assert schemas.event_type(known + FAR_ABOVE // 2) is None
    assert asked.ids[MANY_UNKNOWN:] == [known, known + FAR_ABOVE // 2]


def test_a_schema_that_is_registered_after_much_garbage_is_known_at_once(
    kafka_settings: Settings, client: SchemaRegistryClient
) -> None:
    client.register_schema(kafka_settings.raw_subject, Schema(json.dumps(RECORD), "AVRO"))
    schemas = WriterSchemas(kafka_settings, client, kept=False)
    for identifier in range(1 << 30, (1 << 30) + 2 * MANY_UNKNOWN):
        assert schemas.event_type(identifier) is None
    more = {**RECORD, "fields": [*RECORD["fields"], {"name": "more", "type": "long", "default": 0}]}
    found = client.register_schema(kafka_settings.raw_subject, Schema(json.dumps(more), "AVRO"))
    assert schemas.event_type(found) is not None
