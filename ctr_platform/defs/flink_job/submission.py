"""Send the job to the cluster, wait for it, and end it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import tenacity

from contract.errors import CtrError, FlinkRefused, RestoreFailed
from ctr_platform.artifacts.flink import flink_environment
from ctr_platform.artifacts.java import build_ingest
from ctr_platform.defs.flink_job.declared import declared
from ctr_platform.defs.flink_job.releases import INSTALLED
from ctr_platform.defs.flink_job.transport import POLL_S
from flink import restoring
from flink.config import JOB_NAME, JobConfig, TimeRules

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from contract.settings import Settings
    from contract.stream.load import DeclaredStream
    from ctr_platform.defs.flink_job.rest import FlinkCluster, JobDetail

SUBMIT_WITHIN_S: Final = 120
"""Planning and sending take 5 to 15 s on a free core; a machine that has just started has none."""

CLIENT_JVM: Final = "-XX:TieredStopAtLevel=1"
"""For a JVM that lives for seconds: it never earns back what thorough compilation costs."""

ENDED_WITHIN_S: Final = 60
"""Flink kills a TaskManager whose tasks do not end in 180 s; those of this job take a second."""

RUNNING_WITHIN_S: Final = 120
"""Deploying takes seconds; restoring large state, or waiting for a TaskManager, takes longer."""


def job_config(settings: Settings, stream: DeclaredStream, ingest_jar: Path | None = None) -> JobConfig:
    """What the settings say of the job; its ingest stage is the installed code's if no jar is named."""
    return JobConfig(
        rest_url=settings.flink_rest_url,
        front_jar=str(ingest_jar or build_ingest()),
        bootstrap_servers=settings.kafka_bootstrap_servers,
        raw_topic=settings.raw_topic,
        error_topic=settings.error_topic,
        windows_topic=settings.windows_topic,
        consumer_group=settings.kafka_topic_prefix + JOB_NAME,
        registry_url=settings.schema_registry_url,
        **declared(stream),
        jdbc_url=settings.postgres_jdbc_url,
        postgres_user=settings.postgres_user,
        postgres_password=settings.postgres_password.get_secret_value(),
        redis_host=settings.redis_host,
        redis_port=settings.redis_port,
        redis_key_prefix=settings.redis_key_prefix,
        parallelism=settings.flink_parallelism,
        checkpoint_interval_s=settings.flink_checkpoint_interval,
        checkpoint_timeout_s=settings.flink_checkpoint_timeout,
        checkpoint_dir=settings.flink_checkpoint_dir,
        state_backend=settings.flink_state_backend,
        python_executable=sys.executable,
        python_path=sysconfig.get_path("purelib"),
        raw_events_percent=settings.raw_events_percent,
        max_segments=settings.max_segments,
        time_rules=TimeRules(**asdict(settings.time_rules)),
    )


def end_jobs(cluster: FlinkCluster, job_ids: Collection[str], *, ask: bool = True) -> None:
    """Cancel those of the jobs that are alive, unless they are ending anyway; return when they have ended."""

    def alive() -> list[str]:
        return [job.id for job in cluster.alive(JOB_NAME) if job.id in job_ids]

    for job_id in alive() if ask else []:
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


def submit(config: JobConfig, code: Path = INSTALLED) -> str:
    """Send the job to the cluster; returns its id. The job logs which run of Dagster has sent it.

    Args:
        config: what the job is told.
        code: folder that holds the package `flink`.

    Raises:
        RestoreFailed: its snapshot cannot be read, or does not fit.
        CtrError: the cluster refuses, or planning fails; the message is the root cause.
    """
    return str(_run_submit(config, code, "--submitted-by", _run_id())["job_id"])


def _run_id() -> str:
    """Dagster's run that this code is part of; empty outside of any."""
    try:
        return dg.OpExecutionContext.get().run_id
    except dg.DagsterInvariantViolationError:
        return ""


def check(config: JobConfig, code: Path = INSTALLED) -> None:
    """Plan the job and send nothing.

    Raises:
        CtrError: planning fails; the message is the root cause.
    """
    _run_submit(config, code, "--check")


def _run_submit(config: JobConfig, code: Path, *arguments: str) -> dict[str, Any]:
    """In a process of its own: pyflink starts a JVM that lives as long as its process."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "flink.submit", *arguments],
            input=config.to_json(),
            capture_output=True,
            text=True,
            timeout=SUBMIT_WITHIN_S,
            check=False,
            cwd=code,
            # The code is what lies in that folder, wherever else there is some.
            env={"JVM_ARGS": CLIENT_JVM, **os.environ, **flink_environment(), "PYTHONPATH": str(code)},
        )
    except subprocess.TimeoutExpired:
        raise CtrError(f"submitting {config.name} took more than {SUBMIT_WITHIN_S} s") from None
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        failure = RestoreFailed if done.returncode == restoring.EXIT_STATUS else CtrError
        raise failure(f"{config.name} was not submitted: {last[0]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def wait_running(cluster: FlinkCluster, job_id: str) -> JobDetail:
    """Return the job when every task of it runs.

    Raises:
        RestoreFailed: its snapshot cannot be read, or does not fit.
        CtrError: it ended, or did not run in `RUNNING_WITHIN_S`.
    """

    def sample_job() -> JobDetail:
        job = cluster.job(job_id)
        if job.running:
            return job
        failures = cluster.failures(job_id, 1)
        if failures and failures[0].in_restore:
            raise RestoreFailed(failures[0].cause)
        if not job.alive:
            raise CtrError(f"{JOB_NAME} is {job.state}: {_last_failure(cluster, job_id)}")
        return job

    try:
        return tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda job: not job.running),
            wait=tenacity.wait_fixed(POLL_S),
            stop=tenacity.stop_after_delay(RUNNING_WITHIN_S),
        )(sample_job)
    except tenacity.RetryError:
        free = cluster.overview().free_slots
        why = _last_failure(cluster, job_id)
        raise CtrError(
            f"{JOB_NAME} did not run within {RUNNING_WITHIN_S} s ({free} slots are free): {why}"
        ) from None


def _last_failure(cluster: FlinkCluster, job_id: str) -> str:
    return next((failure.cause for failure in cluster.failures(job_id, 1)), "Flink names no failure")
