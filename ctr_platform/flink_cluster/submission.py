"""Bring the job `ctr_windows` up: once, from the right state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tenacity

from ctr_platform.artifacts.flink import flink_environment
from ctr_platform.artifacts.java import build_front
from ctr_platform.errors import CtrError
from ctr_platform.flink_cluster.rest import POLL_S, FlinkCluster
from ctr_platform.flink_cluster.snapshots import complete_snapshots
from ctr_platform.flink_cluster.transport import FlinkRefused
from ctr_platform.settings import ERROR_TOPIC, RAW_TOPIC, WINDOWS_TOPIC
from flink.config import JOB_NAME, JobConfig
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from collections.abc import Collection

    from ctr_platform.flink_cluster.rest import JobDetail
    from ctr_platform.settings import Settings

PROJECT: Final = Path(__file__).parents[2]

SUBMIT_WITHIN_S: Final = 120
"""Planning and sending take 5 to 15 s on a free core; a machine that has just started has none."""

ENDED_WITHIN_S: Final = 60
"""Flink kills a TaskManager whose tasks do not end in 180 s; those of this job take a second."""

RUNNING_WITHIN_S: Final = 120
"""Deploying takes seconds; restoring large state, or waiting for a TaskManager, takes longer."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """How the job came to run."""

    job_id: str
    already_running: bool
    parallelism: int
    restored_from: str | None
    """URI of the snapshot; None: it started at the topic's beginning."""

    front_jar: str
    """File name of the front's jar, which holds the hash of its sources."""

    url: str
    """The job's page in the Flink UI."""


def job_config(settings: Settings, restore_from: str | None = None) -> JobConfig:
    """What the settings say of the job."""
    return JobConfig(
        rest_url=settings.flink_rest_url,
        front_jar=str(build_front()),
        bootstrap_servers=settings.kafka_bootstrap_servers,
        raw_topic=RAW_TOPIC,
        error_topic=ERROR_TOPIC,
        windows_topic=WINDOWS_TOPIC,
        registry_url=settings.schema_registry_url,
        jdbc_url=settings.postgres_jdbc_url,
        postgres_user=settings.postgres_user,
        postgres_password=settings.postgres_password.get_secret_value(),
        redis_host=settings.redis_host,
        redis_port=settings.redis_port,
        parallelism=settings.flink_parallelism,
        checkpoint_interval_s=settings.flink_checkpoint_interval,
        checkpoint_timeout_s=settings.flink_checkpoint_timeout,
        checkpoint_dir=settings.flink_checkpoint_dir,
        state_backend=settings.flink_state_backend,
        python_executable=sys.executable,
        python_path=f"{PROJECT}:{sysconfig.get_path('purelib')}",
        restore_from=restore_from,
        raw_events_percent=settings.raw_events_percent,
    )


def bring_up(settings: Settings, *, from_nothing: bool = False, replace: Collection[str] = ()) -> Submission:
    """See to it that exactly one `ctr_windows` runs, restored from the newest complete snapshot.

    A job that is there already is left alone, but waited for, unless its id is in `replace`: such a one is
    cancelled first. Its retained checkpoints stay.

    Raises:
        CtrError: Flink, Kafka's front or Postgres is away; the job does not come up; or it has run before
            and there is nothing to restore it from, which only `from_nothing` makes acceptable.
    """
    with FlinkCluster(settings.flink_rest_url) as cluster:
        _end(cluster, replace)
        alive = cluster.alive(JOB_NAME)
        if alive:
            job = wait_running(cluster, alive[0].id)
            restored = cluster.checkpoints(job.id).restored_from
        else:
            config = job_config(settings, None if from_nothing else _restore_point(settings))
            job = wait_running(cluster, submit(config))
            restored = config.restore_from
    ui = (settings.flink_ui_url or settings.flink_rest_url).rstrip("/")
    return Submission(
        job_id=job.id,
        already_running=bool(alive),
        parallelism=job.parallelism,
        restored_from=restored,
        front_jar=build_front().name,
        url=f"{ui}/#/job/running/{job.id}/overview",
    )


def _end(cluster: FlinkCluster, job_ids: Collection[str]) -> None:
    """Cancel those of the jobs that are alive, and return when they have ended."""

    def alive() -> list[str]:
        return [job.id for job in cluster.alive(JOB_NAME) if job.id in job_ids]

    for job_id in alive():
        # It may have ended a moment ago.
        with suppress(FlinkRefused):
            cluster.cancel(job_id)
    try:
        tenacity.Retrying(
            retry=tenacity.retry_if_result(bool),
            wait=tenacity.wait_fixed(POLL_S),
            stop=tenacity.stop_after_delay(ENDED_WITHIN_S),
        )(alive)
    except tenacity.RetryError:
        raise CtrError(f"{', '.join(alive())} did not end within {ENDED_WITHIN_S} s") from None


def submit(config: JobConfig) -> str:
    """Send the job to the cluster; returns its id.

    A process of its own does it: pyflink starts a JVM that lives as long as its process.

    Raises:
        CtrError: the cluster refuses, or planning fails; the message is the root cause.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "flink.submit"],
            input=config.to_json(),
            capture_output=True,
            text=True,
            timeout=SUBMIT_WITHIN_S,
            check=False,
            cwd=PROJECT,
            env={**os.environ, **flink_environment()},
        )
    except subprocess.TimeoutExpired:
        raise CtrError(f"submitting {config.name} took more than {SUBMIT_WITHIN_S} s") from None
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise CtrError(f"{config.name} was not submitted: {last[0]}")
    return str(json.loads(done.stdout.splitlines()[-1])["job_id"])


def wait_running(cluster: FlinkCluster, job_id: str) -> JobDetail:
    """Return the job when every task of it runs.

    Raises:
        CtrError: it ended, or did not run in `RUNNING_WITHIN_S`.
    """

    def look() -> JobDetail:
        job = cluster.job(job_id)
        if not job.alive:
            raise CtrError(f"{JOB_NAME} is {job.state}: {_last_failure(cluster, job_id)}")
        return job

    try:
        return tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda job: not job.running),
            wait=tenacity.wait_fixed(POLL_S),
            stop=tenacity.stop_after_delay(RUNNING_WITHIN_S),
        )(look)
    except tenacity.RetryError:
        free = cluster.overview().free_slots
        why = _last_failure(cluster, job_id)
        raise CtrError(
            f"{JOB_NAME} did not run within {RUNNING_WITHIN_S} s ({free} slots are free): {why}"
        ) from None


def _last_failure(cluster: FlinkCluster, job_id: str) -> str:
    return next((failure.cause for failure in cluster.failures(job_id, 1)), "Flink names no failure")


def _restore_point(settings: Settings) -> str | None:
    """The newest complete snapshot; None only for a job that has never run."""
    snapshots = complete_snapshots(settings.flink_checkpoint_dir)
    if snapshots:
        return snapshots[0].uri
    warehouse = Warehouse(settings.postgres_url)
    try:
        has_run = warehouse.ledger_totals(RAW_TOPIC)
    finally:
        warehouse.close()
    if has_run:
        raise CtrError(
            f"{JOB_NAME} has run before (quality.ledger knows), but {settings.flink_checkpoint_dir} holds no "
            "complete checkpoint or savepoint: put one there, or start from nothing "
            f"on purpose by materializing {JOB_NAME} with from_nothing: true"
        )
    return None
