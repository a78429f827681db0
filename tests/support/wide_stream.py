"""A stream unlike the one that ships: six dimensions of four types, a boolean click, time in µs.

Its events come with what must become of them, worked out here one by one.
"""

from __future__ import annotations

import io
import json
import random
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import fastavro

from contract.stream.load import FILE
from tests.oracle import MINUTE_MS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pipeline import Pipeline

DECLARATION: Final = """
name = "wide"
title = { en = "Impressions", ko = "노출" }

[event]
schema = "impression.avsc"
id = "request_id"
time = { field = "at" }
click = { field = "clicked" }

[topics]
raw = "impressions"
error = "impressions_refused"
windows = "impressions_by_window"

[[dimensions]]
field = "campaign"
title = { en = "Campaign", ko = "캠페인" }

[[dimensions]]
field = "creativeId"
column = "creative"
title = { en = "Creative" }
rates = "by_creative"

[[dimensions]]
field = "publisher"
title = { en = "Publisher" }
blank = "(nobody)"

[[dimensions]]
field = "country"
title = { en = "Country", ko = "국가" }

[[dimensions]]
field = "is_app"
title = { en = "In an app" }

[[dimensions]]
field = "slot"
title = { en = "Slot" }

[[measures]]
field = "cost_micros"
column = "cost"
title = { en = "Cost" }
unit = "USD"
scale = 0.000001
per = ["click", "1000 impressions"]
"""

SCHEMA: Final = {
    "type": "record",
    "name": "Impression",
    "fields": [
        {"name": "slot", "type": "int"},
        {"name": "cost_micros", "type": "long"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "campaign", "type": "string"},
        {"name": "request_id", "type": "string"},
        {"name": "creativeId", "type": "int"},
        {"name": "clicked", "type": "boolean"},
        {"name": "publisher", "type": ["null", "string"], "default": None},
        {"name": "country", "type": {"type": "enum", "name": "Country", "symbols": ["KR", "US", "JP"]}},
        {"name": "is_app", "type": "boolean"},
    ],
}

COLUMNS: Final = ("campaign", "creative", "publisher", "country", "is_app", "slot")

DISORDER_MS: Final = 8_000
OUT_OF_ORDERNESS_MS: Final = 10_000

Segment = tuple[str, int, str, str, str, int]

Figures = tuple[int, int, int]
"""Impressions, clicks, cost."""


def write_declaration(folder: Path) -> Path:
    """Declare the stream in a folder; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(DECLARATION, encoding="utf-8")
    (folder / "impression.avsc").write_text(json.dumps(SCHEMA), encoding="utf-8")
    return folder


@dataclass
class WideTraffic:
    """Events in the order of their partitions, and what must become of them."""

    job: Pipeline
    seed: int
    counted: dict[tuple[int, Segment], Figures] = field(default_factory=dict)
    """By (start of the minute in ms, segment)."""

    late: dict[tuple[int, Segment], Figures] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    _highest_ms: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._schema = fastavro.parse_schema(SCHEMA)
        self._number = 0

    def send(self, events: int, from_ms: int, span_ms: int) -> None:
        """Spread events over a span of event time that begins at `from_ms`, ms since the epoch."""
        partitions = self.job.settings.kafka_partitions
        for position in range(events):
            partition = self._number % partitions
            at_ms = from_ms + position * span_ms // events
            self.job.send(partition, self._record(partition, at_ms))
            self._number += 1
        self.job.flush()

    def close(self, at_ms: int) -> None:
        """One event in each partition far enough ahead that every window that ends by `at_ms` closes."""
        for partition in range(self.job.settings.kafka_partitions):
            event = self._event(at_ms + OUT_OF_ORDERNESS_MS)
            self._judge(partition, event, at_ms + OUT_OF_ORDERNESS_MS)
            self.job.send(partition, self._encoded(event))
        self.job.flush()

    def windows(self, minutes: int, *, merged: bool = False) -> dict[tuple[int, Segment], Figures]:
        """Sums by window and segment, with the late ones if these were merged."""
        length_ms = minutes * MINUTE_MS
        windows: dict[tuple[int, Segment], Figures] = {}
        for part in (self.counted, *([self.late] if merged else [])):
            for (start, segment), figures in part.items():
                _add(windows, (start - start % length_ms, segment), figures)
        return windows

    # ---- records ---------------------------------------------------------------------------------

    def _record(self, partition: int, at_ms: int) -> bytes:
        chance = self._random.random()
        if chance < 0.01:
            self.outcomes["malformed"] += 1
            return self._encoded(self._event(at_ms)) + b"\0"
        if chance < 0.02:
            self.outcomes["unknown_schema"] += 1
            return self._encoded(self._event(at_ms), schema_id=self.job.schema_id + 500)
        if chance < 0.03:
            self.outcomes["invalid"] += 1
            wrong = {"at": 1_000_000} if chance < 0.025 else {"cost_micros": 10**12 + 1}
            return self._encoded({**self._event(at_ms), **wrong})
        behind_ms = self._random.randrange(DISORDER_MS)
        if chance < 0.06:
            behind_ms = 3 * MINUTE_MS + self._random.randrange(5 * MINUTE_MS)
        event = self._event(at_ms - behind_ms)
        self._judge(partition, event, at_ms - behind_ms)
        return self._encoded(event)

    def _event(self, at_ms: int) -> dict[str, Any]:
        chosen = self._random
        return {
            "slot": chosen.randrange(3),
            "cost_micros": chosen.randrange(-50, 5_000_000_000),
            "at": 1000 * at_ms + chosen.randrange(1000),
            "campaign": chosen.choice(["spring", "summer sale", "", "  ", "한국"]),
            "request_id": f"r{self._number}",
            "creativeId": chosen.choice([7, -3, 1_000_000]),
            "clicked": chosen.random() < 0.2,
            "publisher": chosen.choice([None, "p1", "p2"]),
            "country": chosen.choice(["KR", "US"]),
            "is_app": chosen.random() < 0.5,
        }

    def _judge(self, partition: int, event: dict[str, Any], at_ms: int) -> None:
        start = at_ms - at_ms % MINUTE_MS
        segment: Segment = (
            event["campaign"].strip() or "unknown",
            event["creativeId"],
            event["publisher"] or "(nobody)",
            event["country"],
            "true" if event["is_app"] else "false",
            event["slot"],
        )
        highest = self._highest_ms.get(partition)
        is_late = highest is not None and start + MINUTE_MS <= highest - OUT_OF_ORDERNESS_MS
        self._highest_ms[partition] = at_ms if highest is None else max(highest, at_ms)
        self.outcomes["late" if is_late else "counted"] += 1
        figures = (1, int(event["clicked"]), event["cost_micros"])
        _add(self.late if is_late else self.counted, (start, segment), figures)

    def _encoded(self, event: dict[str, Any], schema_id: int | None = None) -> bytes:
        body = io.BytesIO(struct.pack(">bI", 0, schema_id or self.job.schema_id))
        body.seek(0, io.SEEK_END)
        fastavro.schemaless_writer(body, self._schema, event)
        return body.getvalue()


def _add(windows: dict[tuple[int, Segment], Figures], key: tuple[int, Segment], more: Figures) -> None:
    impressions, clicks, cost = windows.get(key, (0, 0, 0))
    windows[key] = (impressions + more[0], clicks + more[1], cost + more[2])


def windows_of(job: Pipeline, relation: str) -> dict[tuple[int, Segment], Figures]:
    """What a table or view of Postgres holds, by window and segment."""
    columns = ", ".join(COLUMNS)
    found: dict[tuple[int, Segment], Figures] = {}
    for start, *segment, impressions, clicks, cost in job.query(
        f"select (extract(epoch from window_start) * 1000)::bigint, {columns}, impressions, clicks, cost"
        f" from {relation}"
    ):
        campaign, creative, publisher, country, is_app, slot = segment
        found[start, (campaign, creative, publisher, country, is_app, slot)] = (impressions, clicks, cost)
    return found
