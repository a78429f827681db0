"""The Flink job on topics of its own, for tests that follow records from end to end."""

from __future__ import annotations

import io
import itertools
import json
import struct
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import fastavro
import httpx
import psycopg2
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from ctr_platform.artifacts.flink import flink_environment
from ctr_platform.artifacts.java import build_front
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.kafka.topics import TOPIC_CONFIGS
from ctr_platform.registry.subject import ensure_subject
from ctr_platform.settings import ERROR_TOPIC, RAW_TOPIC, WINDOWS_TOPIC
from ctr_platform.stack.probes import wait_until
from flink.config import JobConfig
from tests.oracle import MINUTE_MS, Expected, expect, letters, schema_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.stack import RunningStack

PROJECT: Final = Path(__file__).parents[2]
SUBMIT_TIMEOUT_S: Final = 120
STATE_TIMEOUT_S: Final = 120
SETTLE_TIMEOUT_S: Final = 150
"""Longer than a restart after a lost TaskManager, a replay and a silent topic's minute together."""

DAY_MS: Final = 24 * 60 * MINUTE_MS
_events = itertools.count(1)
_pipelines = itertools.count(1)

Rows = dict[tuple[int, str, int], tuple[int, int]]
"""Impressions and clicks by (window start in ms, category, device type)."""


@dataclass
class Pipeline:
    """Topics, an event-time day that no other test uses, and at most one running job on them."""

    stack: RunningStack
    raw_topic: str
    error_topic: str
    windows_topic: str
    base_ms: int
    """Midnight of the day: windows of this test start here."""

    config: JobConfig
    schema_id: int
    job_id: str | None = None
    _producer: Producer = field(init=False)
    _schema: Any = field(init=False)

    def __post_init__(self) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": self.stack.settings.kafka_bootstrap_servers,
                "message.max.bytes": 2 << 20,
                "log_level": 0,  # a stopped broker is part of the tests
            }
        )
        self._schema = fastavro.parse_schema(json.loads(schema_file().read_text(encoding="utf-8")))

    # ---- records ---------------------------------------------------------------------------------

    def encode(self, at_ms: int, *, schema: tuple[int, Any] | None = None, **values: Any) -> bytes:
        """An event in Confluent wire format; `at_ms` counts from `base_ms`.

        `schema` is another writer's: its id, and what fastavro made of it.
        """
        identifier, parsed = schema or (self.schema_id, self._schema)
        event = {
            "id": f"e{next(_events)}",
            "click": 0,
            "hour": 14102100,
            "C1": 1005,
            "banner_pos": 0,
            "site_id": "s",
            "site_category": "news",
            "device_type": 1,
            "device_ip": "ip",
            "timestamp": self.base_ms + at_ms,
            **values,
        }
        body = io.BytesIO(struct.pack(">bI", 0, identifier))
        body.seek(0, io.SEEK_END)
        fastavro.schemaless_writer(body, parsed, event)
        return body.getvalue()

    def send(self, partition: int, value: bytes | None, **more: Any) -> None:
        """Put a record at the end of a partition."""
        self._producer.produce(self.raw_topic, value, partition=partition, **more)
        self._producer.poll(0)

    def event(self, partition: int, at_ms: int, **values: Any) -> None:
        """Put an event at the end of a partition."""
        self.send(partition, self.encode(at_ms, **values))

    def flush(self) -> None:
        """Return when everything sent is in the topic."""
        assert self._producer.flush(STATE_TIMEOUT_S) == 0

    def close_windows(self, at_ms: int) -> None:
        """One event per partition far enough ahead that every window that ends by `at_ms` closes."""
        for partition in range(self.stack.settings.kafka_partitions):
            self.event(partition, at_ms + 10_000, site_category="closer")
        self.flush()

    # ---- the job ---------------------------------------------------------------------------------

    def submit(self, **changes: Any) -> None:
        """Start the job, and return when all of it runs."""
        config = replace(self.config, **changes)
        done = subprocess.run(
            [sys.executable, "-m", "flink.submit"],
            input=config.to_json(),
            capture_output=True,
            text=True,
            timeout=SUBMIT_TIMEOUT_S,
            check=False,
            cwd=PROJECT,
            env={**self.stack.environment, **flink_environment()},
        )
        assert done.returncode == 0, done.stderr[-2000:]
        self.job_id = json.loads(done.stdout.splitlines()[-1])["job_id"]
        self.wait_running()

    def rest(self, path: str) -> Any:
        """What the cluster says about the job."""
        answer = httpx.get(f"{self.config.rest_url}/jobs/{self.job_id}{path}", timeout=STATE_TIMEOUT_S)
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
        rest = f"{self.config.rest_url}/jobs/{self.job_id}"
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
            httpx.patch(f"{self.config.rest_url}/jobs/{self.job_id}", timeout=STATE_TIMEOUT_S)
            wait_until(lambda: self.rest("")["state"] in ended, STATE_TIMEOUT_S, "the job's end")

    def restarts(self) -> int:
        """How often Flink has restarted the job."""
        metric = self.rest("/metrics?get=numRestarts")
        return int(metric[0]["value"])

    def dropped_late(self) -> Mapping[str, int]:
        """Flink's own counters of records dropped as late, by operator: each must be 0."""
        assert self.job_id is not None
        with FlinkCluster(self.config.rest_url) as cluster:
            return cluster.metrics(self.job_id).summed("numLateRecordsDropped")

    # ---- results ---------------------------------------------------------------------------------

    def expected(self) -> Expected:
        """What must have become of every record, found without the platform."""
        return expect(self.stack.settings, self.raw_topic)

    def letters(self) -> dict[tuple[int, int], str]:
        """Reason by (partition, offset) of the record that a letter is about."""
        found = letters(self.stack.settings, self.error_topic)
        return {coordinates: reason for coordinates, (reason, _) in found.items()}

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a SELECT in the warehouse."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A connection to the warehouse that commits at the end."""
        settings = self.stack.settings
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
        found = self.query(f"select {sums} from quality.ledger_current where topic = %s", self.raw_topic)
        return dict(zip(columns, found[0], strict=True))

    def read(self) -> int:
        """How many records the job has read and accounted for, by the ledger."""
        return self.ledger()["records_read"]

    def settle(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something that the pipeline does by itself."""
        wait_until(condition, SETTLE_TIMEOUT_S, what)


def closed(windows: Rows, until_ms: int, minutes: int) -> Rows:
    """Those of the windows that end by `until_ms`."""
    return {key: value for key, value in windows.items() if key[0] + minutes * MINUTE_MS <= until_ms}


@cache
def _today_ms() -> int:
    """The same all along, or two tests on either side of midnight would have the same day."""
    return time.time_ns() // 1_000_000 // DAY_MS * DAY_MS


@contextmanager
def pipeline(stack: RunningStack) -> Iterator[Pipeline]:
    """Make topics and choose a day for one test; the job is cancelled at the end."""
    number = next(_pipelines)
    settings = stack.settings
    names = {name: f"{name}_{number}" for name in TOPIC_CONFIGS}
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    topics = [
        NewTopic(names[name], settings.kafka_partitions, config=TOPIC_CONFIGS[name]) for name in TOPIC_CONFIGS
    ]
    for made in admin.create_topics(topics, operation_timeout=STATE_TIMEOUT_S).values():
        made.result()
    config = JobConfig(
        rest_url=settings.flink_rest_url,
        front_jar=str(build_front()),
        bootstrap_servers=settings.kafka_bootstrap_servers,
        raw_topic=names[RAW_TOPIC],
        error_topic=names[ERROR_TOPIC],
        windows_topic=names[WINDOWS_TOPIC],
        consumer_group=f"test-{number}",
        registry_url=settings.schema_registry_url,
        jdbc_url=settings.postgres_jdbc_url,
        postgres_user=settings.postgres_user,
        postgres_password=settings.postgres_password.get_secret_value(),
        redis_host=settings.redis_host,
        redis_port=settings.redis_port,
        parallelism=2,
        checkpoint_interval_s=2,
        checkpoint_timeout_s=60,
        checkpoint_dir=settings.flink_checkpoint_dir,
        state_backend="rocksdb",
        python_executable=sys.executable,
        python_path=sysconfig.get_path("purelib"),
    )
    made_pipeline = Pipeline(
        stack=stack,
        raw_topic=names[RAW_TOPIC],
        error_topic=names[ERROR_TOPIC],
        windows_topic=names[WINDOWS_TOPIC],
        base_ms=_today_ms() - (number + 1) * DAY_MS,
        config=config,
        schema_id=ensure_subject(settings).id,
    )
    try:
        yield made_pipeline
    finally:
        made_pipeline.cancel()
