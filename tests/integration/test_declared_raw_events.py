"""Raw events of a stream of other names and types than the shipped one's, and the bounds of a measure."""

from __future__ import annotations

import io
import json
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import fastavro
import pytest

from contract.stream.load import FILE
from tests.oracle import MINUTE_MS, read_topic
from tests.support.pipeline import pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.pipeline import Pipeline
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

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
        {"name": "first", "type": "boolean"},
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
kept = ["order", "first", "costMicros"]

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

SEEN_IN_GERMANY: Final[dict[str, Any]] = {
    "Country": "DE",
    "mobile": True,
    "kind": "VIEW",
    "order": 0,
    "first": True,
}

MOST: Final = 10**12
"""Of a measure."""


def _send(job: Pipeline, at_ms: int, **values: Any) -> None:
    """Put an event into partition 0."""
    body = io.BytesIO(struct.pack(">bI", 0, job.schema_id))
    body.seek(0, io.SEEK_END)
    event = {"at": 1000 * (job.base_ms + at_ms) + 999, **SEEN_IN_GERMANY, **values}
    fastavro.schemaless_writer(body, SCHEMA, event)
    job.send(0, body.getvalue())


@pytest.fixture
def job(stack: RunningStack, warm_submissions: Submitter, tmp_path: Path) -> Iterator[Pipeline]:
    """Topics and stores of the stream that is declared here."""
    (tmp_path / FILE).write_text(DECLARATION, encoding="utf-8")
    (tmp_path / "event.avsc").write_text(json.dumps(SCHEMA), encoding="utf-8")
    with pipeline(stack, warm_submissions, ctr_stream=tmp_path) as made:
        yield made


def test_raw_events_have_the_columns_that_are_declared_and_a_measure_has_a_bound(job: Pipeline) -> None:
    job.submit(raw_events_percent=100)
    _send(job, 1_234, key="a", kind="CLICK", costMicros=5_000_000_000, order=1 << 40)
    _send(job, 2_000, key="b", costMicros=MOST)
    _send(job, 3_000, key="c", Country=None, mobile=False, costMicros=-MOST)
    _send(job, 4_000, key="d", kind="CLICK", costMicros=MOST + 1)  # invalid
    _send(job, MINUTE_MS, key="e", costMicros=-3)
    _send(job, 10 * MINUTE_MS, key="f", costMicros=0)
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

    columns = 'id, click, country, mobile, "order", first, costmicros, event_time'
    job.eventually(lambda: len(job.query("select id from realtime.raw_events")) == 5, "the raw events")
    kept = job.query(f"select {columns} from realtime.raw_events where id in ('a', 'c') order by id")
    assert kept == [
        ("a", 1, "DE", "true", 1 << 40, True, 5_000_000_000, _moment(job, 1_234)),
        ("c", 0, "unknown", "false", 0, True, -MOST, _moment(job, 3_000)),
    ]
    assert job.restarts() == 0


def _moment(job: Pipeline, at_ms: int) -> datetime:
    return datetime.fromtimestamp((job.base_ms + at_ms) / 1000, tz=UTC)
