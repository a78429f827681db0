"""The Flink job on topics of its own, for tests that follow records from end to end."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import psycopg2

from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.submission import end_jobs, job_config
from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.defs.registry.subject import ensure_subject
from ctr_platform.devstack.probes import wait_until
from flink.config import JOB_NAME
from tests.oracle import MINUTE_MS, Expected, dead_letters, expect
from tests.support.isolation import own
from tests.support.topic_writer import TopicWriter
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from contract.settings import Settings
    from flink.config import JobConfig
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

PROJECT: Final = Path(__file__).parents[2]
STATE_TIMEOUT_S: Final = 120
EVENTUALLY_WITHIN_S: Final = 150
"""Longer than a restart after a lost TaskManager, a replay and a silent topic's minute together."""

DAY_MS: Final = 24 * 60 * MINUTE_MS

Rows = dict[tuple[int, str, int], tuple[int, int]]
"""Impressions and clicks by (window start in ms, category, device type)."""


SECONDS: Final[dict[str, float]] = {"partition_idle": 1.0, "topic_idle": 3.0}
"""Settings with which a test that waits for silence waits for seconds.

Not for tests whose traffic pauses by accident on a busy machine: what comes after a pause would be late.
"""


@dataclass(kw_only=True)
class Pipeline(TopicWriter):
    """Topics and stores of one test, and at most one running job on them.

    `base_ms` is midnight of the day of event time: windows of this test start there.
    """

    submitter: Submitter
    job_id: str | None = None

    @property
    def config(self) -> JobConfig:
        """What the settings say of the job."""
        return job_config(self.settings, self.settings.declared_stream())

    def use(self, **changes: object) -> None:
        """Go on with other settings."""
        self.stack = self.stack.with_settings(**changes)

    def close_windows(self, at_ms: int) -> None:
        """One event per partition far enough ahead that every window that ends by `at_ms` closes."""
        for partition in range(self.settings.kafka_partitions):
            self.event(partition, at_ms + 10_000, site_category="closer")
        self.flush()

    # ---- the job ---------------------------------------------------------------------------------

    def submit(self, **changes: Any) -> None:
        """Start the job, and return when all of it runs."""
        self.job_id = self.submitter.submit(replace(self.config, **changes))
        self.wait_running()

    def rest(self, path: str) -> Any:
        """What the cluster says about the job."""
        answer = httpx.get(
            f"{self.settings.flink_rest_url}/jobs/{self.job_id}{path}", timeout=STATE_TIMEOUT_S
        )
        answer.raise_for_status()
        return answer.json()

    def wait_running(self) -> None:
        """Return when every task of the job runs."""

        def runs() -> bool:
            vertices = self.rest("")["vertices"]
            return all(vertex["status"] == "RUNNING" for vertex in vertices)

        wait_until(runs, STATE_TIMEOUT_S, "the job")

    def wait_checkpoint(self) -> str:
        """Path of a checkpoint that began after this call and is complete."""
        before = time.time() * 1000

        def latest() -> dict[str, Any] | None:
            found: dict[str, Any] | None = self.rest("/checkpoints")["latest"]["completed"]
            return found

        wait_until(
            lambda: (found := latest()) is not None and found["trigger_timestamp"] > before,
            STATE_TIMEOUT_S,
            "a checkpoint",
        )
        found = latest()
        assert found is not None
        return str(found["external_path"])

    def stop_with_savepoint(self) -> str:
        """Stop the job; returns the savepoint's path."""
        rest = f"{self.settings.flink_rest_url}/jobs/{self.job_id}"
        asked = httpx.post(f"{rest}/stop", json={"drain": False}, timeout=STATE_TIMEOUT_S)
        asked.raise_for_status()
        trigger = asked.json()["request-id"]
        wait_until(
            lambda: self.rest(f"/savepoints/{trigger}")["status"]["id"] == "COMPLETED",
            STATE_TIMEOUT_S,
            "the savepoint",
        )
        location = self.rest(f"/savepoints/{trigger}")["operation"]["location"]
        wait_until(lambda: self.rest("")["state"] == "FINISHED", STATE_TIMEOUT_S, "the job's end")
        return str(location)

    def cancel(self) -> None:
        """End the job, if it runs."""
        if self.job_id is None:
            return
        ended = ("CANCELED", "FINISHED", "FAILED")
        if self.rest("")["state"] not in ended:
            httpx.patch(f"{self.settings.flink_rest_url}/jobs/{self.job_id}", timeout=STATE_TIMEOUT_S)
            wait_until(lambda: self.rest("")["state"] in ended, STATE_TIMEOUT_S, "the job's end")

    def restarts(self) -> int:
        """How often Flink has restarted the job."""
        found: list[int] = []

        def reported() -> bool:
            # A job that has just begun to run has no metrics yet.
            found.extend(int(each["value"]) for each in self.rest("/metrics?get=numRestarts"))
            return bool(found)

        wait_until(reported, STATE_TIMEOUT_S, "the job's metrics")
        return found[-1]

    def dropped_late(self) -> Mapping[str, int]:
        """Flink's own counters of records dropped as late, by operator: each must be 0."""
        assert self.job_id is not None
        with FlinkCluster(self.settings.flink_rest_url) as cluster:
            return cluster.metrics(self.job_id).summed("numLateRecordsDropped")

    # ---- results ---------------------------------------------------------------------------------

    def expected(self) -> Expected:
        """What must have become of every record, found without the platform."""
        return expect(self.settings)

    def dead_letters(self) -> dict[tuple[int, int], str]:
        """Reason by (partition, offset) of the record that a dead-letter message is about."""
        found = dead_letters(self.settings)
        return {coordinates: reason for coordinates, (reason, _) in found.items()}

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a SELECT in the warehouse."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A connection to the warehouse that commits at the end."""
        settings = self.settings
        connection = psycopg2.connect(
            host=settings.postgres_host,
            port=settings.postgres_port,
            dbname=settings.postgres_db,
            user=settings.postgres_user,
            password=settings.postgres_password.get_secret_value(),
        )
        try:
            yield connection
            connection.commit()
        finally:
            connection.close()

    def rows(self, minutes: int) -> Rows:
        """This test's windows in the warehouse."""
        found = self.query(
            "select (extract(epoch from window_start) * 1000)::bigint, site_category, device_type,"
            f" impressions, clicks from realtime.counts_{minutes}min"
            " where window_start >= to_timestamp(%s) and window_start < to_timestamp(%s)",
            self.base_ms / 1000,
            (self.base_ms + DAY_MS) / 1000,
        )
        return {
            (start, category, device): (impressions, clicks)
            for start, category, device, impressions, clicks in found
        }

    def ledger(self) -> dict[str, int]:
        """Sums of the ledger over this test's topic, of its newest run of each offset."""
        columns = ("records_read", "counted", "late", "malformed", "unknown_schema", "invalid")
        sums = ", ".join(f"coalesce(sum({column}), 0)::bigint" for column in columns)
        found = self.query(
            f"select {sums} from quality.ledger_current where topic = %s", self.settings.raw_topic
        )
        return dict(zip(columns, found[0], strict=True))

    def read(self) -> int:
        """How many records the job has read and accounted for, by the ledger."""
        return self.ledger()["records_read"]

    def eventually(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something that the pipeline does by itself."""
        wait_until(condition, EVENTUALLY_WITHIN_S, what)


def closed(windows: Rows, until_ms: int, minutes: int) -> Rows:
    """Those of the windows that end by `until_ms`."""
    return {key: value for key, value in windows.items() if key[0] + minutes * MINUTE_MS <= until_ms}


@cache
def _today_ms() -> int:
    """The same all along, or two tests on either side of midnight would have the same day."""
    return time.time_ns() // 1_000_000 // DAY_MS * DAY_MS


@contextmanager
def pipeline(stack: RunningStack, submitter: Submitter, **changes: object) -> Iterator[Pipeline]:
    """Make topics and stores for one test; the job is cancelled at the end."""
    quick: dict[str, object] = {
        "flink_parallelism": 2,
        "flink_checkpoint_interval": 1.0,
        "flink_checkpoint_timeout": 60.0,
    }
    with own(stack.with_settings(**{**quick, **changes})) as mine:
        if "ctr_stream" in changes:
            migrate(mine.settings.postgres_url, mine.settings.declared_stream())
        ensure_topics(mine.settings)
        made = Pipeline(
            stack=mine,
            submitter=submitter,
            base_ms=_today_ms() - DAY_MS,
            schema_id=ensure_subject(mine.settings).id,
        )
        try:
            yield made
        finally:
            made.cancel()


def end_all_jobs(settings: Settings) -> None:
    """Cancel every job of the platform on the cluster."""
    with FlinkCluster(settings.flink_rest_url) as cluster:
        end_jobs(cluster, [job.id for job in cluster.alive(JOB_NAME)])
