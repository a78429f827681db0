"""Schemas that the registry accepts, and events that do not fit them: job, recount and tools judge alike."""

from __future__ import annotations

import struct
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError

from ctr_platform.defs.dead_letters.replay import ReplaySelection, replay
from ctr_platform.defs.late_events.merge import merge_late_events
from ctr_platform.defs.reconciliation.run import recount
from ctr_platform.defs.registry.client import registry_client
from ctr_platform.defs.registry.decoder import EventDecoder
from tests.oracle import MINUTE_MS
from tests.support.attacks import category_types, optional_fields, own_schema, register

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS


def _forget(job: Pipeline, identifier: int) -> None:
    """Take a schema out of the registry, which keeps the ids of deleted subjects, and of its memory."""
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
    job.stack.kill("registry")
    job.stack.wait_ready("registry")
    with registry_client(settings) as client, pytest.raises(SchemaRegistryError):
        client.get_schema(identifier)


def _recounted(job: Pipeline) -> dict[str, int]:
    columns = ("records_read", "counted", "late", "malformed", "unknown_schema", "invalid")
    sums = ", ".join(f"coalesce(sum({column}), 0)::bigint" for column in columns)
    found = job.query(f"select {sums} from quality.recount_progress where topic = %s", job.settings.raw_topic)
    return dict(zip(columns, found[0], strict=True))


def test_job_and_recount_judge_them_alike_and_neither_dies(job: Pipeline) -> None:
    job.submit()
    values = optional_fields(job, HOUR_MS)
    malformed = [value for value, outcome in values.items() if outcome == "malformed"]
    good = [value for value, outcome in values.items() if outcome == "counted"]
    for partition, sent in enumerate((malformed, good)):
        for value in sent:
            job.send(partition, value, becomes=values[value])
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
    written = category_types(job)
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
    """Its rows are gone from the registry, and the job, the recount and the tools begin anew."""
    # Like no other test's: the registry gives the same text the same id.
    schema = own_schema({"name": "forgotten", "type": ["null", "int"], "default": None})
    identifier = register(job, "forgotten", schema)
    value = struct.pack(">bI", 0, identifier) + job.encode(HOUR_MS)[5:] + b"\x02\x02"
    key = (job.base_ms + HOUR_MS, "news", 1)
    job.submit()
    job.send(0, value)
    job.flush()
    job.eventually(lambda: job.read() == 1, "the ledger")
    savepoint = job.stop_with_savepoint()
    _forget(job, identifier)
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
    assert event["forgotten"] == 1
