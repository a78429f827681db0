"""Schemas that the registry accepts, and events that do not fit them: job, recount and tools judge alike."""

from __future__ import annotations

import json
import struct
from contextlib import closing
from typing import TYPE_CHECKING, Any

import fastavro
import psycopg2
import pytest
from confluent_kafka.schema_registry import Schema
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.schema_registry_client import SchemaReference

from ctr_platform.defs.dead_letters.replay import ReplaySelection, replay
from ctr_platform.defs.late_events.merge import merge_late_events
from ctr_platform.defs.reconciliation.run import recount
from ctr_platform.defs.registry.client import registry_client
from ctr_platform.defs.registry.decoder import EventDecoder
from tests.oracle import MINUTE_MS, schema_file

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS
NESTED: Any = {"type": "record", "name": "Nested", "fields": [{"name": "next", "type": ["null", "Nested"]}]}


def _own(*more: dict[str, Any], **types: Any) -> dict[str, Any]:
    """The platform's schema with other types of some fields, and more fields."""
    schema: dict[str, Any] = json.loads(schema_file().read_text(encoding="utf-8"))
    for field in schema["fields"]:
        if field["name"] in types:
            field["type"] = types[field["name"]]
            field.pop("default", None)
    schema["fields"] += more
    return schema


def _registered(job: Pipeline, subject: str, schema: Any, *references: SchemaReference) -> int:
    """Id of a schema, of a subject of its own: other teams' producers ask nobody about compatibility."""
    with registry_client(job.settings) as client:
        name = f"{job.settings.raw_topic}.{subject}"
        made = Schema(json.dumps(schema), "AVRO", list(references))
        return int(client.register_schema(name, made))


def _forget(job: Pipeline, identifier: int) -> None:
    """Take a schema out of the registry's own database: it keeps the ids of subjects that are deleted."""
    settings = job.settings
    with (
        closing(
            psycopg2.connect(
                host=settings.postgres_host,
                port=settings.postgres_port,
                dbname="registry",
                user=settings.postgres_user,
                password=settings.postgres_password.get_secret_value(),
            )
        ) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM versions WHERE contentid = %s", (identifier,))
        cursor.execute("DELETE FROM content WHERE contentid = %s", (identifier,))


def _with_tail(job: Pipeline, identifier: int, tail: str) -> bytes:
    """A good event of the platform's schema, as written with another one, and what that has at its end."""
    return struct.pack(">bI", 0, identifier) + job.encode(HOUR_MS)[5:] + bytes.fromhex(tail)


def _recounted(job: Pipeline) -> dict[str, int]:
    columns = ("records_read", "counted", "late", "malformed", "unknown_schema", "invalid")
    sums = ", ".join(f"coalesce(sum({column}), 0)::bigint" for column in columns)
    found = job.query(f"select {sums} from quality.recount_progress where topic = %s", job.settings.raw_topic)
    return dict(zip(columns, found[0], strict=True))


def test_job_and_recount_judge_them_alike_and_neither_dies(job: Pipeline) -> None:
    geo = _registered(job, "geo", _own({"name": "geo", "type": ["null", "string"], "default": None}))
    bid = _registered(job, "bid", _own({"name": "bid", "type": ["null", "int"], "default": None}))
    nested = _registered(job, "nested", _own({"name": "nested", "type": ["null", NESTED], "default": None}))
    place = {
        "type": "record",
        "name": "Place",
        "namespace": "geo",
        "fields": [{"name": "city", "type": "string"}],
    }
    _registered(job, "place", place)
    reference = SchemaReference("geo.Place", f"{job.settings.raw_topic}.place", 1)
    placed = _registered(job, "placed", _own({"name": "place", "type": "geo.Place"}), reference)
    job.submit()
    malformed = [
        _with_tail(job, geo, "01 00"),  # branch -1
        _with_tail(job, bid, "02 80 80 80 80 80 40"),  # 2^40 in an int
        _with_tail(job, bid, "02 82 80 80 80 80 00"),  # 1, in more bytes than an int has
        _with_tail(job, nested, "02" * 65 + "00"),
        _with_tail(job, nested, "02" * 20_000 + "00"),
    ]
    good = [
        _with_tail(job, geo, "00"),
        _with_tail(job, bid, "02 02"),
        _with_tail(job, nested, "02" * 64 + "00"),
        _with_tail(job, placed, "0a") + b"Seoul",
    ]
    for partition, values in enumerate((malformed, good)):
        for value in values:
            job.send(partition, value)
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    records = len(malformed) + len(good) + 4
    job.eventually(lambda: job.read() == records, "the ledger")
    assert job.dead_letters() == {(0, offset): "malformed" for offset in range(len(malformed))}
    key = (job.base_ms + HOUR_MS, "news", 1)
    job.eventually(lambda: job.rows(5).get(key) == (len(good), 0), "the good events")

    def recounted() -> bool:
        recount(job.settings)
        return _recounted(job)["records_read"] == records

    job.eventually(recounted, "the recount")
    assert _recounted(job) == job.ledger()
    assert job.restarts() == 0


def test_a_category_in_bytes_is_merged_and_one_that_is_null_is_mended(job: Pipeline) -> None:
    in_bytes = _own(site_category="bytes")
    nullable = _own(site_category=["null", "string"])
    ids = {name: _registered(job, name, schema) for name, schema in (("bytes", in_bytes), ("null", nullable))}
    written = {
        name: (ids[name], fastavro.parse_schema(schema))
        for name, schema in (("bytes", in_bytes), ("null", nullable))
    }
    job.submit()
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    job.send(0, job.encode(HOUR_MS, schema=written["bytes"], site_category="뉴스".encode()))
    job.send(1, job.encode(HOUR_MS + 20 * MINUTE_MS, schema=written["null"], site_category=None, click=7))
    job.send(1, job.encode(HOUR_MS + 20 * MINUTE_MS, click=7))
    job.close_windows(HOUR_MS + 15 * MINUTE_MS)
    job.eventually(
        lambda: job.dead_letters() == {(0, 1): "late", (1, 1): "invalid", (1, 2): "invalid"},
        "the dead letters",
    )

    def merged() -> bool:
        done = merge_late_events(job.settings)
        return done.merged + done.already_merged == 1

    job.eventually(merged, "the late event")
    assert job.query("select site_category, click from realtime.late_events") == [("뉴스", 0)]
    done = replay(job.settings, ReplaySelection(reasons=["invalid"]), repair="clamp_click", dry_run=False)
    assert dict(done.replayed) == {"invalid": 2}
    job.close_windows(HOUR_MS + 30 * MINUTE_MS)
    start = job.base_ms + HOUR_MS + 20 * MINUTE_MS
    wanted = {(start, "unknown", 1): (1, 1), (start, "news", 1): (1, 1)}
    job.eventually(lambda: wanted.items() <= job.rows(1).items(), "the mended events")


def test_a_schema_that_the_registry_has_forgotten_keeps_its_meaning(job: Pipeline) -> None:
    """Somebody deletes a version for good, and the job, the recount and the tools begin anew."""
    schema = _own({"name": "bid", "type": ["null", "int"], "default": None})
    identifier = _registered(job, "forgotten", schema)
    value = _with_tail(job, identifier, "02 02")
    key = (job.base_ms + HOUR_MS, "news", 1)
    job.submit()
    job.send(0, value)
    job.flush()
    job.eventually(lambda: job.read() == 1, "the ledger")
    savepoint = job.stop_with_savepoint()
    _forget(job, identifier)
    with registry_client(job.settings) as client, pytest.raises(SchemaRegistryError):
        client.get_schema(identifier)
    job.send(1, value)
    job.submit(restore_from=savepoint)
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    job.eventually(lambda: job.rows(5).get(key) == (2, 0), "both events")
    job.eventually(lambda: job.read() == 6, "the ledger")

    def recounted() -> bool:
        recount(job.settings)
        return _recounted(job)["records_read"] == 6

    job.eventually(recounted, "the recount")
    assert _recounted(job) == job.ledger()
    with registry_client(job.settings) as client:
        event = EventDecoder(job.settings, client).decode(value)
    assert event is not None
    assert event["bid"] == 1
