"""A stream of other names and types than the shipped one's, with a measure, through the whole job."""

from __future__ import annotations

import io
import json
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import fastavro

from contract.stream.load import FILE, load_stream
from ctr_platform.defs.flink_job.declared import declared_job
from tests.oracle import MINUTE_MS, read_topic
from tests.support.attacks import register

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pipeline import Pipeline

SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Impression",
    "fields": [
        {"name": "costMicros", "type": "long"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "Country", "type": ["null", "string"]},
        {"name": "mobile", "type": "boolean"},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["VIEW", "CLICK"]}},
        {"name": "order", "type": "long"},
        {"name": "key", "type": "string"},
    ],
}

DECLARATION: Final = """\
name = "shop"
title = { en = "Shop" }

[event]
schema = "event.avsc"
id = "key"
time = { field = "at" }
click = { field = "kind", equals = "CLICK" }
kept = ["order", "kind", "costMicros"]

[[dimensions]]
field = "Country"
title = { en = "Country" }
rates = "by_country"

[[dimensions]]
field = "mobile"
title = { en = "On a phone" }

[[measures]]
field = "costMicros"
column = "cost"
title = { en = "Cost" }
"""

TABLES: Final = """
drop table realtime.counts_1min, realtime.counts_5min, realtime.raw_events cascade;
create table realtime.counts_1min (window_start timestamptz, window_end timestamptz, country text,
    mobile text, impressions bigint, clicks bigint, cost bigint,
    primary key (window_start, country, mobile));
create table realtime.counts_5min (like realtime.counts_1min including all);
create table realtime.raw_events (id text primary key, click int not null, country text, mobile text,
    "order" bigint, kind text, costmicros bigint, event_time timestamptz,
    created_at timestamptz default now());
"""
"""In place of the shipped stream's."""

SEEN_IN_GERMANY: Final[dict[str, Any]] = {"Country": "DE", "mobile": True, "kind": "VIEW", "order": 0}

MOST: Final = 10**12
"""Of a measure."""


def _send(job: Pipeline, schema_id: int, at_ms: int, **values: Any) -> None:
    """Put an event into partition 0."""
    body = io.BytesIO(struct.pack(">bI", 0, schema_id))
    body.seek(0, io.SEEK_END)
    event = {"at": 1000 * (job.base_ms + at_ms) + 999, **SEEN_IN_GERMANY, **values}
    fastavro.schemaless_writer(body, SCHEMA, event)
    job.send(0, body.getvalue())


def test_a_stream_of_other_names_and_types_is_counted_with_its_measure(job: Pipeline, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(DECLARATION, encoding="utf-8")
    (tmp_path / "event.avsc").write_text(json.dumps(SCHEMA), encoding="utf-8")
    stream = load_stream(tmp_path)
    with job.connect() as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
    schema_id = register(job, "shop", SCHEMA)
    job.submit(**vars(declared_job(stream)), raw_events_percent=100)
    _send(job, schema_id, 1_234, key="a", kind="CLICK", costMicros=5_000_000_000, order=1 << 40)
    _send(job, schema_id, 2_000, key="b", costMicros=MOST)
    _send(job, schema_id, 3_000, key="c", Country=None, mobile=False, costMicros=-MOST)
    _send(job, schema_id, 4_000, key="d", kind="CLICK", costMicros=MOST + 1)  # invalid
    _send(job, schema_id, MINUTE_MS, key="e", costMicros=-3)
    _send(job, schema_id, 10 * MINUTE_MS, key="f", costMicros=0)
    job.flush()

    def counts(minutes: int) -> list[tuple[Any, ...]]:
        return job.query(
            "select (extract(epoch from window_start) * 1000)::bigint - %s, country, mobile, impressions,"
            f" clicks, cost from realtime.counts_{minutes}min order by 1, 2, 3",
            job.base_ms,
        )

    both = 5_000_000_000 + MOST
    minute = [(0, "DE", "true", 2, 1, both), (0, "unknown", "false", 1, 0, -MOST)]
    job.eventually(
        lambda: counts(1) == [*minute, (MINUTE_MS, "DE", "true", 1, 0, -3)], "the windows of a minute"
    )
    five = [(0, "DE", "true", 3, 1, both - 3), (0, "unknown", "false", 1, 0, -MOST)]
    job.eventually(lambda: counts(5) == five, "the window of five minutes")
    job.eventually(lambda: list(job.dead_letters().values()) == ["invalid"], "the dead letter")

    def documents() -> list[dict[str, Any]]:
        messages = read_topic(job.settings, job.settings.windows_topic)
        return [json.loads(message.value or b"") for message in messages]

    job.eventually(lambda: len(documents()) == 3, "the documents")
    [first] = [
        each for each in documents() if each["window_start"] == job.base_ms and each["window_type"] == "1min"
    ]
    assert first["cost"] == 5_000_000_000
    assert first["segments"] == [["DE", "true", 2, 1, both], ["unknown", "false", 1, 0, -MOST]]
    assert first["by_country"] == {"DE": 50.0, "unknown": 0.0}
    assert first["mobile_ctr"] == {"false": 0.0, "true": 50.0}

    columns = ", ".join(f'"{each.name}"' for each in stream.raw_columns)
    job.eventually(lambda: len(job.query("select id from realtime.raw_events")) == 5, "the raw events")
    kept = job.query(f"select {columns} from realtime.raw_events where id in ('a', 'c') order by id")
    assert kept == [
        ("a", 1, "DE", "true", 1 << 40, "CLICK", 5_000_000_000, _moment(job, 1_234)),
        ("c", 0, "unknown", "false", 0, "VIEW", -MOST, _moment(job, 3_000)),
    ]
    assert job.restarts() == 0


def _moment(job: Pipeline, at_ms: int) -> datetime:
    return datetime.fromtimestamp((job.base_ms + at_ms) / 1000, tz=UTC)
