"""Events in Confluent wire format, decoded with their writers' schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.errors import Malformed
from contract.wire import event_end, read_event, schema_id
from ctr_platform.defs.registry.schemas import WriterSchemas

if TYPE_CHECKING:
    from collections.abc import Collection

    from confluent_kafka.schema_registry import SchemaRegistryClient

    from contract.avro import Record
    from contract.settings import Settings


class EventDecoder:
    """Asks the registry once per schema id."""

    def __init__(self, settings: Settings, client: SchemaRegistryClient, *, kept: bool = True) -> None:
        self._schemas = WriterSchemas(settings, client, kept=kept)
        self._types: dict[int, Record | None] = {}

    def decode(self, value: bytes | None, names: Collection[str] | None = None) -> dict[str, Any] | None:
        """The event, or some of its fields; None where the value is none, whole and with nothing left over.

        Raises:
            CtrError: the registry or Postgres is unavailable.
        """
        if value is None:
            return None
        try:
            event = self._type(value)
            return None if event is None else read_event(value, event, names)
        except Malformed:
            return None

    def whole_event(self, value: bytes) -> bytes | None:
        """The value without what is left over behind its event; None where it does not begin with one.

        Raises:
            CtrError: the registry is unavailable.
        """
        try:
            event = self._type(value)
            return None if event is None else value[: event_end(value, event)]
        except Malformed:
            return None

    def _type(self, value: bytes) -> Record | None:
        """What the value's schema id stands for."""
        identifier = schema_id(value)
        if identifier not in self._types:
            self._types[identifier] = self._schemas.event_type(identifier)
        return self._types[identifier]
