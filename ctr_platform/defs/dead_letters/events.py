"""The event inside a dead-letter message, decoded with its writer's schema."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import fastavro

from ctr_platform.defs.registry.schemas import avro_schema

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

    from contract.settings import Settings

HEADER_BYTES: Final = 5
"""The Confluent wire format begins with a zero and the schema's id."""


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
        found = self._read(value)
        return found[0] if found is not None and found[1] == len(value or b"") else None

    def whole_event(self, value: bytes) -> bytes | None:
        """The value without what is left over behind its event; None where it does not begin with one."""
        found = self._read(value)
        return None if found is None else value[: found[1]]

    def schema(self, identifier: int) -> Any:
        """The parsed schema of an id; None if the registry does not know it, or it is not Avro."""
        if identifier not in self._schemas:
            found = avro_schema(self._settings, self._client, identifier)
            self._schemas[identifier] = None if found is None else fastavro.parse_schema(found)
        return self._schemas[identifier]

    def _read(self, value: bytes | None) -> tuple[dict[str, Any], int] | None:
        """The event at the beginning of a value, and where it ends."""
        if value is None or len(value) < HEADER_BYTES or value[0] != 0:
            return None
        schema = self.schema(int.from_bytes(value[1:HEADER_BYTES], "big", signed=True))
        if schema is None:
            return None
        body = io.BytesIO(value[HEADER_BYTES:])
        try:
            event: Any = fastavro.schemaless_reader(body, schema, None, handle_unicode_errors="replace")
        except Exception:  # noqa: BLE001 - whatever a decoder says of garbage
            return None
        return (event, HEADER_BYTES + body.tell()) if isinstance(event, dict) else None
