"""Avro schemas of the registry by id, as the wire format names them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from contract.wire import event_type
from ctr_platform.defs.registry.client import ask, unless_not_found
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.accounting import WriterSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
    from sqlalchemy import Engine

    from contract.avro import Record
    from contract.settings import Settings

AVRO: Final = "AVRO"

FAR_ABOVE: Final = 1_000
"""A registry gives ids in sequence. One this far above the newest of all subjects has not been given; nearer
ones are asked for each, as they may be given meanwhile, or have been to what was deleted since."""

MANY_UNKNOWN: Final = 16
"""Producers do not bring more wrong ids; beyond, it is worth a look at which there can be."""

NEWEST_KEPT_S: Final = 10.0
"""The newest id is good for this long at least: nobody registers `FAR_ABOVE` schemas in that time."""

KEPT_PER_LOOK: Final = 9
"""To look for it takes a tenth of the time at most: where that takes long, it is good for longer."""

MAX_SUBJECTS: Final = 5_000
"""With more subjects, to look through them would cost more than to ask for the ids."""


@dataclass(frozen=True)
class _Answer:
    """What an id stands for: the schema, and those it refers to, each behind those that it needs."""

    schema: str
    referenced: list[str]


@dataclass(frozen=True)
class _Newest:
    """The newest id that was given, None if not known, and until when (monotonic seconds) that is good."""

    identifier: int | None
    until: float


class WriterSchemas:
    """What schema ids stand for: by the registry or, where that has forgotten one, as it was first seen."""

    def __init__(self, settings: Settings, client: SchemaRegistryClient, *, kept: bool = True) -> None:
        """`kept=False` is for tools that run where there may be no Postgres: the registry's word is all."""
        self._settings = settings
        self._client = client
        self._keeps = kept
        self._kept: dict[int, _Answer] | None = None if kept else {}
        self._unknown = 0
        self._newest = _Newest(0, 0.0)

    def event_type(self, identifier: int) -> Record | None:
        """The type of the events of a schema id; None if nobody knows it, or it is no Avro record.

        Raises:
            CtrError: the registry or Postgres is unavailable: then nothing is known of the id.
        """

        def look() -> list[Schema] | None:
            schema = self._client.get_schema(identifier)
            return [schema, *_referenced(self._client, schema, set())]

        # The wire format's four bytes may be negative, no registry's id is.
        ruled_out = identifier < 0 or self._is_far_above_newest(identifier)
        found = None if ruled_out else ask(self._settings, lambda: unless_not_found(look))
        if found is None:
            self._unknown += 1
            kept = self._all_kept().get(identifier)
            return None if kept is None else _event_type(kept)
        if any(each.schema_type != AVRO for each in found):
            return None
        schema, *referenced = [each.schema_str or "" for each in found]
        answer = _Answer(schema, referenced)
        if self._keeps:
            self._keep(identifier, answer)
        return _event_type(answer)

    def _is_far_above_newest(self, identifier: int) -> bool:
        """Whether the registry cannot have given an id: garbage may hold any number of those."""
        if self._unknown < MANY_UNKNOWN:
            return False
        began = time.monotonic()
        if began >= self._newest.until:
            found = ask(self._settings, self._find_newest)
            now = time.monotonic()
            self._newest = _Newest(found, now + max(NEWEST_KEPT_S, KEPT_PER_LOOK * (now - began)))
        newest = self._newest.identifier
        return newest is not None and identifier > newest + FAR_ABOVE

    def _find_newest(self) -> int | None:
        """The highest id of the newest versions of all subjects; None: not known."""
        self._client.clear_latest_caches()
        subjects = self._client.get_subjects() or []
        if len(subjects) > MAX_SUBJECTS:
            return None
        newest = [unless_not_found(partial(self._client.get_latest_version, each)) for each in subjects]
        return max((each.schema_id or 0 for each in newest if each is not None), default=0)

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
