"""How the number of distinct values bears on the job's speed.

A stack of its own is started, with a topic for each number of categories: as many events in each, in the same
minutes of event time. Then the job reads one after the other in turn, as `benchmarks.throughput` has it.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import struct
import time
from typing import TYPE_CHECKING, Final

import fastavro
from confluent_kafka import Producer

from benchmarks.throughput import run_job
from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.defs.registry.subject import ensure_subject
from ctr_platform.devstack.service_list import DATA_SERVICES
from tests.oracle import schema_file
from tests.support.stack import running_stack
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from contract.settings import Settings

CATEGORIES: Final = (15, 10_000, 1_000_000)
"""In a minute of event time, where there are as many events."""

SPAN_MS: Final = 5 * 60_000
WIDTH: Final = 10
"""Characters of a category's name."""

TIMES: Final = 1_000
"""Distinct event times: a record is put together from parts that are made once."""


def load(settings: Settings, events: int, categories: int) -> None:
    """Fill the raw topic with events of so many categories, in rotation."""
    ensure_topics(settings)
    schema_id = ensure_subject(settings).id
    declared = json.loads(schema_file().read_text(encoding="utf-8"))
    schema = fastavro.parse_schema(declared)
    event = {field["name"]: 0 if field["type"] in {"int", "long"} else "x" for field in declared["fields"]}
    mark = "#" * WIDTH
    first_ms = time.time_ns() // 1_000_000 - SPAN_MS
    parts = []
    for number in range(TIMES):
        body = io.BytesIO()
        timestamp = first_ms + number * SPAN_MS // TIMES
        fastavro.schemaless_writer(body, schema, event | {"site_category": mark, "timestamp": timestamp})
        head, tail = body.getvalue().split(mark.encode())
        parts.append((struct.pack(">bI", 0, schema_id) + head, tail))
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "compression.type": "lz4",
            "linger.ms": 50,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    for number in range(events):
        head, tail = parts[number * TIMES // events]
        value = head + f"{number % categories:0{WIDTH}}".encode() + tail
        while True:
            try:
                producer.produce(settings.raw_topic, value, partition=number % settings.kafka_partitions)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(60):
        raise SystemExit("Kafka did not take all events")


def main() -> None:
    """Load, then alternate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=12_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--parallelism", type=int, default=2)
    arguments = parser.parse_args()
    rates: dict[int, list[float]] = {each: [] for each in CATEGORIES}
    with running_stack(DATA_SERVICES) as stack:
        migrate(stack.settings.postgres_url)
        changes = {"flink_parallelism": arguments.parallelism}
        installations = {
            each: stack.settings.model_copy(update={**changes, "kafka_topic_prefix": f"c{each}."})
            for each in CATEGORIES
        }
        for categories, settings in installations.items():
            load(settings, arguments.events, categories)
        for run in range(arguments.runs + 1):
            for categories, settings in installations.items():
                count, seconds = run_job(settings)
                if count != arguments.events:
                    raise SystemExit(f"{categories} categories: counted {count:,} of {arguments.events:,}")
                print(f"run {run}  {categories:>13,} categories {count / seconds / 1000:7,.0f} k events/s")
                if run:
                    rates[categories].append(count / seconds)
    base = rates[CATEGORIES[0]]
    for categories, figures in rates.items():
        ratio = statistics.median(mine / few for mine, few in zip(figures, base, strict=True))
        median = statistics.median(figures) / 1000
        print(
            f"{categories:>13,} categories: median {median:,.0f} k events/s, {ratio:.2f} of {CATEGORIES[0]}"
        )


if __name__ == "__main__":
    main()
