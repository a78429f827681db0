"""Avro schemas of the registry by id, as the wire format names them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from confluent_kafka.schema_registry.error import SchemaRegistryError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from contract.wire import event_type
from ctr_platform.defs.registry.client import ask
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models import WriterSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
    from sqlalchemy import Engine

    from contract.avro import Record
    from contract.settings import Settings

AVRO: Final = "AVRO"


@dataclass(frozen=True)
class _Answer:
    """What an id stands for: the schema, and those it refers to, each behind those that it needs."""

    schema: str
    referenced: list[str]


class WriterSchemas:
    """What schema ids stand for: by the registry or, where that has forgotten one, as it was first seen."""

    def __init__(self, settings: Settings, client: SchemaRegistryClient, *, kept: bool = True) -> None:
        """`kept=False` is for tools that run where there may be no Postgres: the registry's word is all."""
        self._settings = settings
        self._client = client
        self._keeps = kept
        self._kept: dict[int, _Answer] | None = None if kept else {}

    def event_type(self, identifier: int) -> Record | None:
        """The type of the events of a schema id; None if nobody knows it, or it is no Avro record.

        Raises:
            CtrError: the registry or Postgres is unavailable: then nothing is known of the id.
        """

        def look() -> list[Schema] | None:
            try:
                schema = self._client.get_schema(identifier)
                return [schema, *_referenced(self._client, schema, set())]
            except SchemaRegistryError as error:
                if error.http_status_code == HTTPStatus.NOT_FOUND:
                    return None
                raise

        found = ask(self._settings, look)
        if found is None:
            kept = self._all_kept().get(identifier)
            return None if kept is None else _event_type(kept)
        if any(each.schema_type != AVRO for each in found):
            return None
        schema, *referenced = [each.schema_str or "" for each in found]
        answer = _Answer(schema, referenced)
        if self._keeps:
            self._keep(identifier, answer)
        return _event_type(answer)

    def _keep(self, identifier: int, answer: _Answer) -> None:
        """Put it on record, unless it is: an id never gets another meaning."""
        with warehouse_errors(self._settings.postgres_url), self._engine().begin() as connection:
            connection.execute(
                insert(WriterSchema)
                .values(schema_id=identifier, schema_text=answer.schema, referenced=answer.referenced)
                .on_conflict_do_nothing()
            )

    def _all_kept(self) -> dict[int, _Answer]:
        """Read once: garbage may hold any number of ids that nobody knows."""
        if self._kept is None:
            columns = (WriterSchema.schema_id, WriterSchema.schema_text, WriterSchema.referenced)
            with warehouse_errors(self._settings.postgres_url), self._engine().connect() as connection:
                rows = connection.execute(select(*columns))
                self._kept = {row.schema_id: _Answer(row.schema_text, row.referenced) for row in rows}
        return self._kept

    def _engine(self) -> Engine:
        return writing_engine(self._settings.postgres_url, "ctr-schemas")


def _event_type(answer: _Answer) -> Record | None:
    try:
        schema, *referenced = [json.loads(each) for each in (answer.schema, *answer.referenced)]
    except (json.JSONDecodeError, RecursionError):
        return None
    return event_type(schema, referenced)


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
