"""What the job and its cluster measure of themselves, over the REST API."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import tenacity

from ctr_platform.defs.flink_job.transport import POLL_S
from flink.config import (
    DOCUMENTS_GIVEN_UP,
    DOCUMENTS_NAME,
    DOCUMENTS_SKIPPED,
    METRICS_GROUP,
    REDIS_REFUSES,
)

if TYPE_CHECKING:
    from ctr_platform.defs.flink_job.transport import RestApi

METRICS_SETTLE_S: Final = 1.0
"""The JobManager collects metrics only when it is asked for some, and answers with the collection before:
with what was true when somebody last asked. A collection takes 0.2 s; there is at most one in 10 s."""

METRICS_WITHIN_S: Final = 15.0
"""Until a new job has metrics: one collection may have been too early, and the next is 10 s later."""

OUTCOME_NAMES: Final = ("counted", "late", "malformed", "unknown_schema", "invalid")
FATES: Final = tuple(f".{METRICS_GROUP}.{name}" for name in OUTCOME_NAMES)
WATERMARK: Final = f".{METRICS_GROUP}.jobWatermark"
"""Metrics of the ingest stage, each behind its operator's name: a counter by outcome, and the watermark."""

SKIPPED: Final = f".{METRICS_GROUP}.{DOCUMENTS_SKIPPED}"
GIVEN_UP: Final = f".{METRICS_GROUP}.{DOCUMENTS_GIVEN_UP}"
REFUSES: Final = f".{METRICS_GROUP}.{REDIS_REFUSES}"
"""Metrics of the operator that writes documents to Redis."""

PENDING: Final = ".pendingRecords"
BUSY: Final = "busyTimeMsPerSecond"
BACKPRESSURED: Final = "backPressuredTimeMsPerSecond"
ALIGNMENT: Final = "checkpointAlignmentTime"
HEAP_USED: Final = "Status.JVM.Memory.Heap.Used"
HEAP_MAX: Final = "Status.JVM.Memory.Heap.Max"
"""Flink's own."""

NO_WATERMARK: Final = -(2**63)
"""What an operator reports before its first watermark."""


@dataclass(frozen=True, kw_only=True)
class Watermark:
    """How far event time is in one chain: the lowest of its subtasks."""

    vertex: str
    lowest_ms: int | None
    """Since the epoch; None before the first."""


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What the ingest stage does with the topic: since the job, or its restart by Flink, began."""

    records_read: int
    outcomes: dict[str, int]
    """Records by outcome."""

    records_waiting: int
    """Consumer lag: in the topic, and not yet read."""

    watermark_ms: int | None
    """The job watermark, since the epoch, where it is lowest; None before the first."""


@dataclass(frozen=True, kw_only=True)
class DocumentWrites:
    """What Redis has not taken: since the job, or its restart by Flink, began."""

    skipped: int
    """Documents of open windows."""

    given_up: int
    """Final documents, refused for as long as they would have lived there."""

    refused: bool
    """Whether it refuses now."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """How hard the job's chains work: of each the busiest subtask."""

    busy_percent: float
    """Busy share of the busiest chain."""

    backpressured_percent: float
    """Likewise: waiting for a slower chain behind it."""

    busiest: str
    alignment_ms: float
    """The longest that a subtask's newest checkpoint waited for barriers."""


@dataclass(frozen=True, kw_only=True)
class Heap:
    """JVM heap of the fullest TaskManager."""

    used_bytes: int
    max_bytes: int


class MetricsReader:
    """Reads the metrics of one job; errors are those of `FlinkCluster`.

    What is read is some 11 s old at most: the JobManager collects it when it is asked, and not oftener.
    """

    def __init__(self, api: RestApi, job_id: str) -> None:
        self._api = api
        self._path = f"/jobs/{job_id}"

    def watermarks(self) -> list[Watermark]:
        """Return the watermarks of every chain that has received some, sources first."""
        self._collect()
        found = []
        for vertex, name in self._vertices():
            answer = self._api.get(f"{vertex}/watermarks")
            if answer:
                mark = min(int(each["value"]) for each in answer)
                found.append(Watermark(vertex=name, lowest_ms=None if mark == NO_WATERMARK else mark))
        return found

    def intake(self) -> Intake | None:
        """What the ingest stage has read and what waits; None while it has no metrics."""
        vertices = self._vertices()
        if not vertices:
            return None
        metrics = self._aggregated(vertices[0][0], (*FATES, WATERMARK, PENDING))
        if len(metrics) < len(FATES) + 2:
            return None
        outcomes = {
            name: int(metrics[outcome]["sum"]) for name, outcome in zip(OUTCOME_NAMES, FATES, strict=True)
        }
        lowest_ms = int(metrics[WATERMARK]["min"])
        return Intake(
            records_read=sum(outcomes.values()),
            outcomes=outcomes,
            records_waiting=int(metrics[PENDING]["sum"]),
            watermark_ms=lowest_ms if lowest_ms > 0 else None,
        )

    def document_writes(self) -> DocumentWrites | None:
        """What Redis has not taken of the job; None while there are no metrics."""
        vertex = next((path for path, name in self._vertices() if DOCUMENTS_NAME in name), None)
        names = (SKIPPED, GIVEN_UP, REFUSES)
        metrics = self._aggregated(vertex, names) if vertex else {}
        if len(metrics) < len(names):
            return None
        return DocumentWrites(
            skipped=int(metrics[SKIPPED]["sum"]),
            given_up=int(metrics[GIVEN_UP]["sum"]),
            refused=metrics[REFUSES]["max"] > 0,
        )

    def load(self) -> Load | None:
        """How hard the chains work; None while there are no metrics."""
        names = (BUSY, BACKPRESSURED, ALIGNMENT)
        chains = [(self._highest(f"{path}/subtasks/metrics", names), name) for path, name in self._vertices()]
        worked = [chain for chain in chains if BUSY in chain[0]]
        if not worked:
            return None
        busiest, name = max(worked, key=lambda chain: chain[0][BUSY])
        return Load(
            busy_percent=busiest[BUSY] / 10,
            busiest=name,
            backpressured_percent=max(metrics.get(BACKPRESSURED, 0) for metrics, _ in worked) / 10,
            alignment_ms=max(metrics.get(ALIGNMENT, 0) for metrics, _ in worked) / 1e6,
        )

    def heap(self) -> Heap | None:
        """Return the fullest heap of the TaskManagers; None while there is none, or none reports it."""
        metrics = self._highest("/taskmanagers/metrics", (HEAP_USED, HEAP_MAX))
        if metrics.keys() != {HEAP_USED, HEAP_MAX}:
            return None
        return Heap(used_bytes=int(metrics[HEAP_USED]), max_bytes=int(metrics[HEAP_MAX]))

    def summed(self, name_part: str) -> dict[str, int]:
        """Sum over the subtasks of every operator metric whose name holds `name_part`, by full name.

        Empty if the job still has no such metric after `METRICS_WITHIN_S`.
        """
        self._collect()
        return tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda sums: not sums),
            wait=tenacity.wait_fixed(POLL_S),
            stop=tenacity.stop_after_delay(METRICS_WITHIN_S),
            retry_error_callback=lambda _state: {},
        )(self._sums, name_part)

    def _collect(self) -> None:
        self._api.get(f"{self._path}/metrics")
        time.sleep(METRICS_SETTLE_S)

    def _vertices(self) -> list[tuple[str, str]]:
        """Path and name of every chain, sources first."""
        vertices = self._api.get(self._path)["vertices"]
        return [(f"{self._path}/vertices/{each['id']}", each["name"]) for each in vertices]

    def _aggregated(self, vertex: str, endings: tuple[str, ...]) -> dict[str, dict[str, float]]:
        """Minimum, maximum and sum over the subtasks of the metrics whose names end so, by ending."""
        path = f"{vertex}/subtasks/metrics"
        names = [each["id"] for each in self._api.get(path) if each["id"].endswith(endings)]
        if not names:
            return {}
        answer = self._api.get(path, get=",".join(names))
        return {ending: each for each in answer for ending in endings if each["id"].endswith(ending)}

    def _highest(self, path: str, names: tuple[str, ...]) -> dict[str, float]:
        answer = self._api.get(path, get=",".join(names), agg="max")
        return {each["id"]: float(each["max"]) for each in answer}

    def _sums(self, name_part: str) -> dict[str, int]:
        sums: dict[str, int] = {}
        for vertex, _ in self._vertices():
            path = f"{vertex}/subtasks/metrics"
            names = [each["id"] for each in self._api.get(path) if name_part in each["id"]]
            if names:
                answer = self._api.get(path, get=",".join(names), agg="sum")
                sums |= {each["id"]: int(each["sum"]) for each in answer}
        return sums
