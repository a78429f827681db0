"""The platform on parts that somebody else started.

Every command of the containers, told where Kafka, registry, Flink, Postgres and Redis are, and nothing else.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg2
import pytest
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from contract.settings import Settings
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.submission import end_jobs
from ctr_platform.defs.kafka.topics import TOPIC_CONFIGS
from ctr_platform.defs.registry.subject import ensure_subject
from ctr_platform.devstack.probes import wait_until
from flink.config import JOB_NAME
from tests.oracle import MINUTE_MS
from tests.support.containers import DOCKER, healthy, here, path_with, services
from tests.support.hostile import HOUR_MS, hostile_traffic
from tests.support.pipeline import DAY_MS, PROJECT, Pipeline, closed
from tests.support.stack import RunningStack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.submitter import Submitter

DATABASE: Final = "own_parts"
DAY: Final = 18_000 * DAY_MS
"""The test's day of event time; no other test is as far in the past."""

UNTIL_MS: Final = HOUR_MS + 10 * MINUTE_MS
READY_WITHIN_S: Final = 120
SUBMITTED_WITHIN_S: Final = 300
"""The daemon's first look, the run that makes what the job needs, and a submission, which may take 120 s."""

ENDED_WITHIN_S: Final = 30

PORTS: Final = {
    "dagster-code": "4000",
    "dagster-webserver": "3000",
    "dashboard": "8501",
    "reports": "8090",
}
"""Each one's port in its container."""


@pytest.fixture
def somewhere(stack: RunningStack) -> Iterator[dict[str, str]]:
    """Addresses of services that another process tree runs, as the settings' variables."""
    admin = _connect(stack.settings)
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    known = {name: getattr(stack.settings, name.lower()) for name in _told("dagster-code")}
    values = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in known.items()
    }
    try:
        yield {**values, "POSTGRES_DB": DATABASE}
    finally:
        with admin.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        admin.close()
        kafka = AdminClient({"bootstrap.servers": stack.settings.kafka_bootstrap_servers})
        present = [name for name in TOPIC_CONFIGS if name in kafka.list_topics(timeout=30).topics]
        for deleted in kafka.delete_topics(present).values() if present else ():
            deleted.result(30)


def _connect(settings: Settings) -> Any:
    connection = psycopg2.connect(
        host=settings.postgres_host,
        port=settings.postgres_port,
        dbname="postgres",
        user=settings.postgres_user,
        password=settings.postgres_password.get_secret_value(),
    )
    connection.autocommit = True
    return connection


def _told(service: str) -> set[str]:
    return set(services()[service]["environment"])


class Containers:
    """The platform's containers as processes of this machine: their commands, other ports and folders."""

    def __init__(self, folder: Path, addresses: Mapping[str, str], checkpoints: Path) -> None:
        self._folder = folder
        self._ports = {name: _free_port() for name in PORTS}
        home = folder / "home"
        dagster = folder / "dagster"
        for made in (dagster, home / "quality" / "site", checkpoints):
            made.mkdir(parents=True)
        shutil.copy(PROJECT / "ctr_platform" / "dagster.yaml", dagster)
        workspace = (DOCKER / "dagster" / "workspace.yaml").read_text(encoding="utf-8")
        for before, after in {"dagster-code": "127.0.0.1", **self._changes("dagster-code")}.items():
            workspace = workspace.replace(f" {before}\n", f" {after}\n")
        (dagster / "workspace.yaml").write_text(workspace, encoding="utf-8")
        known = {name.upper() for name in Settings.model_fields}
        self._paths = {
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - what is not to be listened on here
            "/opt/ctr/dagster": str(dagster),
            "/opt/ctr/venv/lib/python3.11/site-packages": str(PROJECT),
            "/var/lib/ctr-platform": str(home),
        }
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in known},
            "CTR_HOME": str(home),
            "DAGSTER_HOME": str(dagster),
            "PATH": path_with(folder / "bin"),
            # What docker/settings.env may hold.
            "FLINK_CHECKPOINT_INTERVAL": "2s",
            "FLINK_PARALLELISM": "2",
        }
        self._addresses = {**addresses, "FLINK_CHECKPOINT_DIR": checkpoints.as_uri()}

    def _changes(self, service: str) -> dict[str, str]:
        return {PORTS[service]: str(self._ports[service])} if service in PORTS else {}

    def environment(self, service: str) -> dict[str, str]:
        """A container's: of the addresses, those that the compose file gives it."""
        notified = services()[service].get("environment", {})
        return {**self._environment, **{name: self._addresses[name] for name in notified}}

    def settings(self) -> Settings:
        """What the platform is told, as this process sees it."""
        values = {name.lower(): value for name, value in self.environment("dagster-code").items()}
        return Settings.model_validate(
            {name: value for name, value in values.items() if name in Settings.model_fields}
        )

    @contextmanager
    def running(self, service: str) -> Iterator[None]:
        """One container's command, until the end of the block."""
        changes = {**self._paths, **self._changes(service)}
        command = here(services()[service]["command"], changes, self._folder / "bin")
        environment = self.environment(service)
        program = shutil.which(command[0], path=environment["PATH"])
        assert program, command[0]
        log = self._folder / f"{service}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program, *command[1:]],
                env=environment,
                cwd=self._folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield
            assert process.poll() is None, log.read_text(encoding="utf-8")[-2000:]
        finally:
            _end(process)

    def healthy(self, service: str) -> bool:
        """What the container's health check says."""
        return healthy(service, self._changes(service), self._folder / "bin", self.environment(service))

    def wait_healthy(self, service: str) -> None:
        """As the compose file waits before it starts what depends on it."""
        wait_until(lambda: self.healthy(service), READY_WITHIN_S, service)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    """In an orderly way; then whatever it left behind."""
    process.terminate()
    try:
        process.wait(ENDED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(ENDED_WITHIN_S)


@pytest.mark.drill  # minutes of a whole platform
def test_the_containers_commands_bring_up_an_exact_job_on_parts_of_somebody_else(
    stack: RunningStack, submitter: Submitter, somewhere: dict[str, str], tmp_path: Path
) -> None:
    checkpoints = stack.paths.checkpoints / DATABASE
    made = Containers(tmp_path, somewhere, checkpoints)
    settings = made.settings()
    with FlinkCluster(settings.flink_rest_url) as cluster, ExitStack() as running:
        running.callback(lambda: end_jobs(cluster, [job.id for job in cluster.alive(JOB_NAME)]))
        for service in ("dagster-code", "dagster-webserver", "dagster-daemon"):
            assert not made.healthy(service)
            running.enter_context(made.running(service))
            if service != "dagster-daemon":
                made.wait_healthy(service)

        def submitted() -> str | None:
            return next((job.id for job in cluster.alive(JOB_NAME)), None)

        wait_until(lambda: submitted() is not None, SUBMITTED_WITHIN_S, JOB_NAME)
        job = Pipeline(
            stack=RunningStack(stack.home, settings, stack.services),
            submitter=submitter,
            base_ms=DAY,
            schema_id=ensure_subject(settings).id,
            job_id=submitted(),
        )
        job.wait_running()
        hostile_traffic(job, events=3_000, minutes=6, seed=11)
        job.close_windows(UNTIL_MS)
        expected = job.expected()
        wanted = {minutes: closed(expected.windows(minutes), DAY + UNTIL_MS, minutes) for minutes in (1, 5)}
        assert wanted[1]
        job.eventually(
            lambda: all(closed(job.rows(m), DAY + UNTIL_MS, m) == wanted[m] for m in wanted), "windows"
        )
        refused = {**expected.dead, **dict.fromkeys(expected.late, "late")}
        job.eventually(lambda: job.dead_letters() == refused, "the dead-letter messages")

        for service in ("watchdog", "dashboard", "reports"):
            running.enter_context(made.running(service))
        for service in ("dagster-daemon", "watchdog", "dashboard", "reports"):
            made.wait_healthy(service)
        with made.running("traffic"):
            job.eventually(lambda: job.read() > expected.records, "the traffic")
