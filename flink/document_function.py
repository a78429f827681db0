"""The Flink function that publishes window documents."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, TimeDomain
from pyflink.datastream.state import ValueState, ValueStateDescriptor

from flink.config import (
    DOCUMENTS_GIVEN_UP,
    DOCUMENTS_SKIPPED,
    METRICS_GROUP,
    REDIS_REFUSES,
)
from flink.document_store import PAUSE_S, SCRIPT, DocumentStore
from flink.documents import TIME_TO_LIVE_S, Summary, document, summarize, to_json
from flink.job_log import log_to_taskmanager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flink.config import JobConfig

LOG: Final = logging.getLogger(__name__)

RETRY_MS: Final = int(1000 * PAUSE_S)
"""A final document that Redis did not take is tried again until it would have expired there."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class WindowDocuments(KeyedProcessFunction):  # type: ignore[misc]
    """Publishes the documents of windows.

    In: rows `window_type, window_start` (ms)`, final, summary` (JSON of a `Summary`), keyed by the first two:
    what the ingest stage says of a window, at most ten times a second, and once when it closes. Out: rows
    `key, document` of the final windows, for `ctr_windows`. Beside that, Redis gets every document.
    """

    def __init__(self, config: JobConfig, submitted_by: str) -> None:
        self._submitted_by = submitted_by
        self._address = (config.redis_host, config.redis_port, config.redis_key_prefix)
        self._dimensions = config.dimensions
        # The first are the clicks, which every document has.
        self._measures = tuple(each.column for each in config.measures[1:])
        # Read where the job is submitted: a TaskManager has no copy of the code.
        self._script = SCRIPT.read_text(encoding="utf-8")

    def open(self, runtime_context: RuntimeContext) -> None:
        """Connect to the state, the metrics and Redis."""
        log_to_taskmanager(self._submitted_by)
        host, port, _ = self._address
        LOG.info("documents go to Redis at %s:%d", host, port, extra={"event": "started"})
        self._store = DocumentStore(*self._address, self._script)
        self._unsent: ValueState = runtime_context.get_state(
            ValueStateDescriptor("unsent-final-document", Types.PICKLED_BYTE_ARRAY())
        )
        # Counters alone: Flink would ask a gauge in a thread of its own, which Python does not know.
        metrics = runtime_context.get_metrics_group().add_group(METRICS_GROUP)
        self._skipped = metrics.counter(DOCUMENTS_SKIPPED)
        self._given_up = metrics.counter(DOCUMENTS_GIVEN_UP)
        self._refused = metrics.counter(REDIS_REFUSES)
        # Counts of windows that were open when a savepoint of version 0.1 was taken, which kept them here.
        self._earlier: ValueState = runtime_context.get_state(
            ValueStateDescriptor("counts", Types.PICKLED_BYTE_ARRAY())
        )

    def close(self) -> None:
        """Disconnect from Redis."""
        self._store.close()

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """Publish what a summary says."""
        summary = Summary(**json.loads(value["summary"]))
        if (earlier := self._earlier.value()) is not None:
            summary = summary.plus(earlier, len(self._dimensions))
        yield from self._publish(
            value["window_type"], value["window_start"], summary, ctx, final=value["final"]
        )

    def on_timer(
        self,
        timestamp: int,  # noqa: ARG002 - Flink's signature
        ctx: KeyedProcessFunction.OnTimerContext,
    ) -> Iterator[Row]:
        """Try again to send a final document; or close a window in which nothing was counted since 0.1."""
        if ctx.time_domain() == TimeDomain.EVENT_TIME:
            if (earlier := self._earlier.value()) is not None:
                window_type, start = ctx.get_current_key().split(":")
                summary = summarize(earlier, len(self._dimensions))
                yield from self._publish(window_type, int(start), summary, ctx, final=True)
        elif (unsent := self._unsent.value()) is not None:
            self._send_final(unsent, ctx)

    def _publish(
        self,
        window_type: str,
        start_ms: int,
        summary: Summary,
        ctx: KeyedProcessFunction.Context | KeyedProcessFunction.OnTimerContext,
        *,
        final: bool,
    ) -> Iterator[Row]:
        made = document(
            window_type,
            start_ms,
            summary,
            self._dimensions,
            final=final,
            written_ms=_now_ms(),
            measures=self._measures,
        )
        if final:
            self._earlier.clear()
            self._send_final(made, ctx)
            yield Row(f"{window_type}:{made['window_id']}", to_json(made))
        elif not self._write(made):
            self._skipped.inc()

    def _send_final(
        self,
        unsent: dict[str, Any],
        ctx: KeyedProcessFunction.Context | KeyedProcessFunction.OnTimerContext,
    ) -> None:
        now_ms = _now_ms()
        closed_ms = unsent["timestamp"]
        if now_ms > closed_ms + 1000 * TIME_TO_LIVE_S[unsent["window_type"]]:
            self._given_up.inc()
            self._unsent.clear()
        elif self._write({**unsent, "timestamp": now_ms}):
            self._unsent.clear()
        else:
            self._unsent.update(unsent)
            ctx.timer_service().register_processing_time_timer(now_ms + RETRY_MS)

    def _write(self, document: dict[str, Any]) -> bool:
        taken = self._store.write(document)
        refuses = int(self._store.refusal is not None)
        if refuses != self._refused.get_count():
            self._refused.inc(2 * refuses - 1)
        return taken
