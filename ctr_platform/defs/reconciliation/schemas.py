"""Writer schemas of the registry, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctr_platform.defs.reconciliation.decode import writer_schema
from ctr_platform.defs.registry.schemas import WriterSchemas

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

    from contract.settings import Settings
    from ctr_platform.defs.reconciliation.decode import WriterSchema


class SchemaCache:
    """Asks once per id: its meaning never changes. Make a new one for every pass, as new ids appear.

    Calling it raises `CtrError` while the registry is unavailable: then nothing is known of any record.
    """

    def __init__(self, settings: Settings, client: SchemaRegistryClient) -> None:
        self._schemas = WriterSchemas(settings, client)
        self._known: dict[int, WriterSchema | None] = {}

    def __call__(self, identifier: int) -> WriterSchema | None:
        """The schema; None if the registry does not know it, or it lacks a needed field."""
        if identifier not in self._known:
            self._known[identifier] = writer_schema(self._schemas.event_type(identifier))
        return self._known[identifier]
