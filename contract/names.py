"""Names that users, other systems and every room of the platform share, and what each means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

RAW_TOPIC: Final = "ad_events_raw"
"""Ad events in Confluent wire format: one record per impression."""

ERROR_TOPIC: Final = "ad_events_error"
"""The dead letter queue: late, malformed, unknown and invalid records, unchanged, with the reason."""

WINDOWS_TOPIC: Final = "ctr_windows"
"""Every final window as JSON, keyed `{window_type}:{window_id}`: the feed for other systems."""

REPLAYS_TOPIC: Final = "ad_events_replays"
"""Which dead-letter messages were put into the raw topic again: written in the same transactions as they."""

DEAD_LETTER_HEADERS: Final[Mapping[str, str]] = {
    "reason": "Why the record was not counted: `late`, `malformed`, `unknown_schema` or `invalid`.",
    "__connect.errors.topic": "Topic of the record.",
    "__connect.errors.partition": "Partition of the record.",
    "__connect.errors.offset": "Offset of the record.",
    "__connect.errors.exception.message": "What is wrong with it, in words; at most 1 KiB.",
    "topic_id": "Kafka's id of the record's topic: within it, partition and offset identify the record.",
    "omitted": "What did not fit the message, with its size in bytes, such as `value=5242880,key=12`: "
    "the raw topic has it, at these coordinates.",
}
"""Headers that a dead-letter message has besides the record's own."""

REPLAY_HEADERS: Final[Mapping[str, str]] = {
    "replayed-from": "`topic:partition:offset` of the dead-lettered record that this one replays.",
}
"""Headers that a replayed record of the raw topic has besides its own."""

REDIS_KEYS: Final[Mapping[str, str]] = {
    "metrics:{window_type}:{window_id}": "String: the window's JSON document.",
    "metrics:{window_type}:index": "Sorted set of the windows that have a document: member `window_id`, "
    "score the window's start in ms. The writer prunes it; readers never scan keys.",
}
"""Patterns of the keys in Redis; `REDIS_KEY_PREFIX` comes before them."""

DOCUMENT_FIELDS: Final[Mapping[str, str]] = {
    "window_id": "The window's start in UTC as `YYYYMMDDTHHMMZ`.",
    "window_type": "`1min` or `5min`.",
    "window_start": "Start (inclusive), ms since the epoch.",
    "window_end": "End (exclusive), ms since the epoch.",
    "total_impressions": "Counted events.",
    "total_clicks": "Counted events whose click is true.",
    "ctr": "100 x clicks / impressions, in percent, rounded half-up to 2 decimals.",
    "segments": "For each of the 500 largest segments the values of the dimensions, impressions, clicks and "
    "the sums of measures; the rest are summed as `other`.",
    "final": "False while the window is open and its figures grow.",
    "revision": "0 from the job, one more for each merge or backfill that changed the window.",
    "timestamp": "When the document was written, ms since the epoch.",
}
"""Fields of a window's JSON document, in Redis and in `ctr_windows`, besides the rates by each dimension
and the sums of measures, which a stream names."""

INGEST_METRICS: Final[Mapping[str, str]] = {
    "counted": "Counter of the records counted in windows.",
    "late": "Counter of the late records.",
    "malformed": "Counter of the records dead-lettered as `malformed`.",
    "unknown_schema": "Counter of the records dead-lettered as `unknown_schema`.",
    "invalid": "Counter of the records dead-lettered as `invalid`.",
    "jobWatermark": "Gauge of the job watermark, ms since the epoch.",
}
"""Metrics of the ingest stage, in Flink's metric group `ctr` of its operator."""
