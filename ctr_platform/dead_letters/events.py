"""The event inside a letter, decoded with its writer's schema."""

from __future__ import annotations

import io
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import fastavro
from confluent_kafka.schema_registry.error import SchemaRegistryError

from ctr_platform.registry.client import ask

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

    from ctr_platform.settings import Settings

HEADER_BYTES: Final = 5
"""Of the Confluent wire format: a zero and the schema's id."""


class EventDecoder:
    """Decodes values in Confluent wire format; asks the registry once per schema id."""

    def __init__(self, settings: Settings, client: SchemaRegistryClient) -> None:
        self._settings = settings
        self._client = client
        self._schemas: dict[int, Any] = {}

    def decode(self, value: bytes | None) -> dict[str, Any] | None:
        """The event; None where the value holds none, whole and with nothing left over.

        Raises:
            CtrError: the registry is away.
        """
        if value is None or len(value) < HEADER_BYTES or value[0] != 0:
            return None
        schema = self._schema(int.from_bytes(value[1:HEADER_BYTES], "big", signed=True))
        if schema is None:
            return None
        body = io.BytesIO(value[HEADER_BYTES:])
        try:
            event: Any = fastavro.schemaless_reader(body, schema, None, handle_unicode_errors="replace")
        except Exception:  # noqa: BLE001 - whatever a decoder says of garbage
            return None
        whole = body.tell() == len(value) - HEADER_BYTES
        return event if whole and isinstance(event, dict) else None

    def _schema(self, identifier: int) -> Any:
        if identifier not in self._schemas:
            text = ask(self._settings, lambda: self._text(identifier))
            self._schemas[identifier] = None if text is None else fastavro.parse_schema(json.loads(text))
        return self._schemas[identifier]

    def _text(self, identifier: int) -> str | None:
        try:
            return self._client.get_schema(identifier).schema_str
        except SchemaRegistryError as error:
            if error.http_status_code == HTTPStatus.NOT_FOUND:
                return None
            raise
