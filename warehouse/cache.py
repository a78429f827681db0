"""The read side of the cache: window documents in Redis, of open windows and of those just closed."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from contract.errors import CacheUnavailable
from warehouse.segments import segment_of
from warehouse.windows import WINDOW_MINUTES, WindowDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warehouse.stream_tables import StreamTables
    from warehouse.windows import WindowType

CONNECT_TIMEOUT_S: Final = 0.5
"""A Redis that is there accepts in a millisecond; a page must not wait longer to say that it is not."""

READ_TIMEOUT_S: Final = 0.5
"""A read takes well under 5 ms; five times the contract's very worst means that Redis hangs."""

MAX_WINDOWS: Final = 100
"""The most documents of one read: many more than live at once, at 1 to 30 KB each."""


LEAST: Final = 3
"""Values of a segment: of a dimension, impressions and clicks."""


@dataclass(frozen=True, kw_only=True)
class CacheHealth:
    """That Redis answers, and how it is."""

    round_trip_ms: float
    used_memory_bytes: int
    indexed_windows: Mapping[WindowType, int]
    """Members of the index of each window type; a few of them may point at expired documents."""


class Cache:
    """Reads window documents; connects on first use, and again after Redis was unavailable.

    Every method is one round trip and raises `CacheUnavailable` where Redis does not answer in time, or
    holds something that is no window document. Safe to share between threads.
    """

    def __init__(self, host: str, port: int, key_prefix: str, tables: StreamTables) -> None:
        """`tables` are those of the stream that is counted: documents of another shape are left out."""
        self._tables = tables
        self._address = f"{host}:{port}"
        self._prefix = f"{key_prefix}metrics"
        self._redis = redis.Redis(
            host=host,
            port=port,
            decode_responses=True,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=READ_TIMEOUT_S,
            # Pages ask again by themselves.
            retry=Retry(NoBackoff(), 0),
            client_name="ctr-read",
        )

    def current(self, window_type: WindowType, limit: int) -> list[WindowDocument]:
        """The newest windows, newest first: at most `limit`, or `MAX_WINDOWS`.

        `SORT_RO ... BY nosort` walks the index from its end and gets the documents in the same command:
        the cost depends on `limit` alone.
        """
        with self._errors():
            # redis-py's own `sort_ro` sends SORT, which a replica and a read-only user are refused.
            found = self._redis.execute_command(  # type: ignore[no-untyped-call]
                *("SORT_RO", self._key(window_type, "index"), "BY", "nosort", "DESC"),
                *("LIMIT", 0, min(limit, MAX_WINDOWS), "GET", self._key(window_type, "*")),
            )
            # A document may expire before its member leaves the index.
            return [
                document
                for text in found
                if text is not None and (document := parse_document(text, self._tables)) is not None
            ]

    def window(self, window_type: WindowType, window_id: str) -> WindowDocument | None:
        """One window, or None if it has no document (any more)."""
        with self._errors():
            text = self._redis.get(self._key(window_type, window_id))
            return None if text is None else parse_document(str(text), self._tables)

    def health(self) -> CacheHealth:
        """Whether and how fast Redis answers."""
        with self._errors():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.info("memory")
            for window_type in WINDOW_MINUTES:
                pipeline.zcard(self._key(window_type, "index"))
            began = time.perf_counter()
            memory, *indexed = pipeline.execute()
            return CacheHealth(
                round_trip_ms=1000 * (time.perf_counter() - began),
                used_memory_bytes=int(memory["used_memory"]),
                indexed_windows=dict(zip(WINDOW_MINUTES, indexed, strict=True)),
            )

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise CacheUnavailable(f"Redis at {self._address} does not answer: {error}") from error
        except (ValueError, TypeError, KeyError) as error:
            raise CacheUnavailable(
                f"Redis at {self._address} holds a document that is none of a window: {error!r}"
            ) from error

    def _key(self, window_type: WindowType, name: str) -> str:
        return f"{self._prefix}:{window_type}:{name}"


def parse_document(text: str, tables: StreamTables) -> WindowDocument | None:
    """A window's document, as Redis and `ctr_windows` hold it; None: it was written before a cutover.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    document: dict[str, Any] = json.loads(text)
    segments: list[list[Any]] = document["segments"]
    width = len(tables.dimensions) + len(tables.figures)
    named = (*(each.rates_name for each in tables.columns), *tables.sums)
    of_this_shape = all(each in document for each in named)
    if not of_this_shape or any(len(each) != width for each in segments):
        _require_segments(segments)
        return None
    return WindowDocument(
        window_type=document["window_type"],
        window_start_ms=document["window_start"],
        window_end_ms=document["window_end"],
        impressions=document["total_impressions"],
        clicks=document["total_clicks"],
        ctr=document["ctr"],
        measures={each: document[each] for each in tables.sums},
        rates={each.name: document[each.rates_name] for each in tables.columns},
        segments=tuple(segment_of(tables, each) for each in segments),
        final=document["final"],
        revision=document["revision"],
        written_ms=document["timestamp"],
    )


def _require_segments(segments: list[list[Any]]) -> None:
    """Refuse what no stream has."""
    lengths = {len(each) for each in segments}
    if len(lengths) > 1 or min(lengths, default=LEAST) < LEAST:
        raise ValueError(f"segments have {', '.join(map(str, sorted(lengths)))} values")
