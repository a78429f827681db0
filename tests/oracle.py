"""What the platform must say of a topic, found without it: read everything, decide every outcome, count.

Slow and plain on purpose. It shares no code with the job: Avro is fastavro's, arithmetic is Python's.
"""

from __future__ import annotations

import io
import json
import struct
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import fastavro
import httpx
from confluent_kafka import Consumer, KafkaError, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Message

    from contract.settings import Settings

MINUTE_MS = 60_000
YEAR_2000_MS = 946_684_800_000
NEEDED = ("id", "click", "hour", "C1", "banner_pos", "site_id", "site_category", "device_type", "device_ip")
READ_TIMEOUT_S = 30.0

Coordinates = tuple[int, int]
"""Partition and offset."""


@dataclass(frozen=True)
class Record:
    """One record of a topic, as a reader sees it."""

    partition: int
    offset: int
    timestamp_ms: int
    """The broker's own."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


@dataclass
class Expected:
    """What became of every record of a topic."""

    counted: Counter[tuple[int, str, int]] = field(default_factory=Counter)
    """Impressions by (window start in ms, category, device type)."""

    clicks: Counter[tuple[int, str, int]] = field(default_factory=Counter)
    late: set[Coordinates] = field(default_factory=set)
    dead: dict[Coordinates, str] = field(default_factory=dict)
    records: int = 0

    def windows(self, minutes: int) -> dict[tuple[int, str, int], tuple[int, int]]:
        """Impressions and clicks by (window start in ms, category, device type)."""
        result: dict[tuple[int, str, int], tuple[int, int]] = {}
        for (start, category, device), impressions in self.counted.items():
            key = (start - start % (minutes * MINUTE_MS), category, device)
            before = result.get(key, (0, 0))
            result[key] = (before[0] + impressions, before[1] + self.clicks[start, category, device])
        return result


def _record(message: Message) -> Record:
    headers = message.headers() or []
    return Record(
        partition=cast("int", message.partition()),
        offset=cast("int", message.offset()),
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=cast("list[tuple[str, bytes | None]]", headers),
    )


def read_topic(settings: Settings, topic: str) -> Iterator[Record]:
    """Every committed record that is in the topic now, partition by partition, in offset order."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "group.id": "oracle",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.message.max.bytes": 4 << 20,
        }
    )
    try:
        for partition in sorted(consumer.list_topics(topic, READ_TIMEOUT_S).topics[topic].partitions):
            consumer.assign([TopicPartition(topic, partition, 0)])
            while True:
                message = consumer.poll(READ_TIMEOUT_S)
                assert message is not None, "the broker is silent"
                if error := message.error():
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    break
                yield _record(message)
    finally:
        consumer.close()


def _category(value: str | None) -> str:
    text = value or ""
    if all(character <= " " for character in text):
        return "unknown"
    return text.replace("\0", "\ufffd")[:128]


class _Schemas:
    def __init__(self, settings: Settings) -> None:
        self._url = settings.schema_registry_url
        self._known: dict[int, Any] = {}

    def get(self, identifier: int) -> Any:
        if identifier not in self._known:
            answer = httpx.get(f"{self._url}/schemas/ids/{identifier}", timeout=READ_TIMEOUT_S)
            schema = None
            if answer.status_code == 200:
                raw = json.loads(answer.json()["schema"])
                if isinstance(raw, dict) and raw.get("type") == "record":
                    names = {each["name"] for each in raw["fields"]}
                    schema = fastavro.parse_schema(raw) if names.issuperset((*NEEDED, "timestamp")) else None
            self._known[identifier] = schema
        return self._known[identifier]


def _decode(value: bytes | None, schemas: _Schemas) -> dict[str, Any] | str:
    """The event, or the reason why there is none."""
    if value is None or len(value) < 5 or value[0] != 0:
        return "malformed"
    schema = schemas.get(struct.unpack(">i", value[1:5])[0])
    if schema is None:
        return "unknown_schema"
    body = io.BytesIO(value[5:])
    try:
        event = fastavro.schemaless_reader(body, schema, None, handle_unicode_errors="replace")
    except Exception:  # noqa: BLE001 - whatever a decoder says of garbage
        return "malformed"
    if body.tell() != len(value) - 5 or not isinstance(event, dict):
        return "malformed"
    return event


def expect(settings: Settings) -> Expected:
    """Decide the outcome of every record of the raw topic by its content alone (no partition was idle)."""
    expected = Expected()
    schemas = _Schemas(settings)
    highest: dict[int, int] = {}
    names: dict[tuple[int, int], set[tuple[str, int]]] = {}
    for record in read_topic(settings, settings.raw_topic):
        expected.records += 1
        partition, offset = record.partition, record.offset
        event = _decode(record.value, schemas)
        if isinstance(event, str):
            expected.dead[partition, offset] = event
            continue
        timestamp, click = event["timestamp"], event["click"]
        if click not in (0, 1) or timestamp < YEAR_2000_MS or timestamp > record.timestamp_ms + 60_000:
            expected.dead[partition, offset] = "invalid"
            continue
        watermark = highest.get(partition, timestamp) - 10_000
        bounded = min(timestamp, record.timestamp_ms)
        highest[partition] = max(highest.get(partition, bounded), bounded)
        start = timestamp - timestamp % MINUTE_MS
        if start + MINUTE_MS <= watermark:
            expected.late.add((partition, offset))
            continue
        name = _category(event["site_category"]), event["device_type"]
        named = names.setdefault((partition, start), set())
        if len(named) < settings.max_segments:
            named.add(name)
        segment = (start, *(name if name in named else ("other", -1)))
        expected.counted[segment] += 1
        expected.clicks[segment] += click
    return expected


def dead_letters(settings: Settings) -> dict[Coordinates, tuple[str, Record]]:
    """Reason and record of every letter, by the coordinates of the record it is about."""
    found: dict[Coordinates, tuple[str, Record]] = {}
    for dead_letter in read_topic(settings, settings.error_topic):
        headers = {name: (value or b"").decode(errors="replace") for name, value in dead_letter.headers}
        partition = int(headers["__connect.errors.partition"])
        offset = int(headers["__connect.errors.offset"])
        found[partition, offset] = (headers["reason"], dead_letter)
    return found


def schema_file() -> Path:
    """The one schema file of the platform."""
    return Path(__file__).parents[1] / "contract" / "streams" / "avazu" / "ad_event.avsc"
