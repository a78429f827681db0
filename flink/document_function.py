"""The Flink function that turns partial aggregates into window documents."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, TimeDomain
from pyflink.datastream.state import ValueState, ValueStateDescriptor

from flink.config import DIMENSIONS
from flink.document_store import PAUSE_S, SCRIPT, DocumentStore
from flink.documents import Counts, add_segments, build, to_json, window_end

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN_DOCUMENT_MS: Final = 100
"""An open window's document is written at most this often; the ingest stage's flush comes on top."""

RETRY_MS: Final = int(1000 * PAUSE_S)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class WindowDocuments(KeyedProcessFunction):  # type: ignore[misc]
    """Keeps the counts of a window until it closes, and publishes its document.

    In: rows `window_type, window_start` (ms)`, segments` (JSON), keyed by the first two. Out: rows
    `key, document` of the final windows, for `ctr_windows`. Beside that, Redis gets the open document
    within `OPEN_DOCUMENT_MS` of a change and the final one when the watermark passes the window's end.
    """

    def __init__(self, redis_host: str, redis_port: int, redis_key_prefix: str) -> None:
        self._address = (redis_host, redis_port, redis_key_prefix)
        # Read where the job is submitted: a TaskManager has no copy of the code.
        self._script = SCRIPT.read_text(encoding="utf-8")

    def open(self, runtime_context: RuntimeContext) -> None:
        """Connect to the state and to Redis."""
        self._store = DocumentStore(*self._address, self._script)
        self._counts: ValueState = runtime_context.get_state(
            ValueStateDescriptor("counts", Types.PICKLED_BYTE_ARRAY())
        )
        self._unsent: ValueState = runtime_context.get_state(
            ValueStateDescriptor("unsent-final-document", Types.PICKLED_BYTE_ARRAY())
        )

    def close(self) -> None:
        """Disconnect from Redis."""
        self._store.close()

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> None:
        """Add partial aggregates and schedule the next write of the document."""
        counts: Counts = self._counts.value() or {}
        add_segments(counts, json.loads(value["segments"]), len(DIMENSIONS))
        self._counts.update(counts)
        timers = ctx.timer_service()
        timers.register_event_time_timer(window_end(value["window_type"], value["window_start"]) - 1)
        # Rounded up to a common moment, many changes make one timer and so one write.
        timers.register_processing_time_timer((_now_ms() // OPEN_DOCUMENT_MS + 1) * OPEN_DOCUMENT_MS)

    def on_timer(
        self,
        timestamp: int,  # noqa: ARG002 - Flink's signature
        ctx: KeyedProcessFunction.OnTimerContext,
    ) -> Iterator[Row]:
        """Publish: the final document at the window's end, else the open one or an unsent final one."""
        window_type, start = ctx.get_current_key().split(":")
        if ctx.time_domain() == TimeDomain.EVENT_TIME:
            final = self._build(window_type, int(start), final=True)
            self._counts.clear()
            self._send_final(final, ctx)
            yield Row(f"{window_type}:{final['window_id']}", to_json(final))
            return
        if (unsent := self._unsent.value()) is not None:
            self._send_final(unsent, ctx)
        elif self._counts.value() is not None:
            self._store.write(self._build(window_type, int(start), final=False))

    def _build(self, window_type: str, start_ms: int, *, final: bool) -> dict[str, Any]:
        counts = self._counts.value()
        return dict(build(window_type, start_ms, counts, DIMENSIONS, final=final, written_ms=_now_ms()))

    def _send_final(self, document: dict[str, Any], ctx: KeyedProcessFunction.OnTimerContext) -> None:
        if self._store.write({**document, "timestamp": _now_ms()}):
            self._unsent.clear()
        else:
            self._unsent.update(document)
            ctx.timer_service().register_processing_time_timer(_now_ms() + RETRY_MS)
