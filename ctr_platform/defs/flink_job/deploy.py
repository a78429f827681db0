"""Bring the job `ctr_windows` up: once, as ordered, from the right state."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError, RestoreFailed, UsageError
from ctr_platform.artifacts.java import build_jar, ingest_classpath
from ctr_platform.defs.flink_job.desired_state import (
    DesiredState,
    RecordedState,
    current_desired_state,
    record_desired_state,
)
from ctr_platform.defs.flink_job.given_up_runs import remove_given_up_runs
from ctr_platform.defs.flink_job.releases import find_release, make_release
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.restore_points import MAX_SNAPSHOTS, restore_points
from ctr_platform.defs.flink_job.snapshots import canonical, checkpoint_id_of, path_of
from ctr_platform.defs.flink_job.submission import (
    end_jobs,
    job_config,
    submit,
    wait_running,
)
from ctr_platform.defs.flink_job.submitted_jobs import record_job, snapshot_folder
from ctr_platform.defs.kafka.epochs import topic_epochs
from flink.config import JOB_NAME, default_of
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.streams import counted_stream

if TYPE_CHECKING:
    from collections.abc import Collection

    from contract.settings import Settings
    from contract.stream.load import DeclaredStream
    from ctr_platform.defs.flink_job.releases import Release
    from ctr_platform.defs.kafka.epochs import Epoch
    from flink.config import JobConfig

DECLARED: Final = frozenset({"event", "dimensions", "measures", "kept"})
"""What a job is told of its stream; of the one that ships each is the default, and not told."""

LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Submission:
    """How the job came to run."""

    job_id: str
    already_running: bool
    parallelism: int
    restored_from: str | None
    """URI of the snapshot; None: it started at the topic's beginning."""

    skipped: dict[str, str]
    """Newer snapshots that it could not be restored from, and why."""

    release: str
    """Name of the code."""

    url: str
    """The job's page in the Flink UI."""


def start(
    settings: Settings,
    *,
    from_nothing: bool = False,
    restore_from: str | None = None,
    replace_jobs: Collection[str] = (),
    why: str = "",
) -> Submission:
    """Want the job to run, and bring it up.

    A job that has been stopped on purpose goes on where it stopped, as it was.

    Args:
        settings: where everything is.
        from_nothing: start at the topic's beginning although the job has run before, unless it runs.
        restore_from: URI of a snapshot to begin with, whoever took it, unless the job runs.
        replace_jobs: see `bring_up`.
        why: for the record.

    Raises:
        CtrError: see `bring_up`; or there is no such complete snapshot.
    """
    desired = current_desired_state(settings)
    if (from_nothing or restore_from) and not _runs(settings, replace_jobs):
        if restore_from and checkpoint_id_of(path_of(restore_from)) is None:
            raise UsageError(f"{restore_from} is no complete snapshot")
        release = desired.release if desired and restore_from else make_release(settings).name
        desired = record_desired_state(
            settings,
            DesiredState(
                operation="start from a snapshot" if restore_from else "start from nothing",
                why=why,
                release=release,
                restore_from=canonical(restore_from) if restore_from else None,
                excludes_since=True,
            ),
        )
    elif desired is None:
        desired = record_desired_state(
            settings, DesiredState(operation="start", why=why, release=make_release(settings).name)
        )
    elif not desired.running:
        desired = record_desired_state(settings, followed_by(desired, "start", why=why, running=True))
    return bring_up(settings, desired, replace_jobs=replace_jobs)


def _runs(settings: Settings, replace_jobs: Collection[str]) -> bool:
    """Whether a job is alive that is to stay."""
    with FlinkCluster(settings.flink_rest_url) as cluster:
        return any(job.id not in replace_jobs for job in cluster.alive(JOB_NAME))


def followed_by(desired: RecordedState, operation: str, *, why: str, running: bool) -> DesiredState:
    """An order for the same job, with the same code and from the same state."""
    return DesiredState(
        operation=operation,
        why=why,
        running=running,
        release=desired.release,
        parallelism=desired.parallelism,
        restore_from=desired.restore_from,
        bounds=desired.bounds,
    )


def bring_up(
    settings: Settings,
    desired: RecordedState,
    *,
    replace_jobs: Collection[str] = (),
    newest_only: bool = False,
) -> Submission:
    """See to it that exactly one `ctr_windows` runs, restored from the newest snapshot that the order allows.

    A job that is there already is left alone, but waited for, unless its id is in `replace_jobs`: such a one
    is cancelled first. Its retained checkpoints stay. A snapshot that the job cannot be restored from is
    passed over for the next older one: it only has more to read again.

    Args:
        settings: where everything is.
        desired: what the job is to be.
        replace_jobs: ids of jobs to end before; one that has ended since is no matter.
        newest_only: pass no snapshot over.

    Raises:
        TopicReplaced: its raw topic is another one than on record.
        CtrError: Flink, Kafka or Postgres is unavailable; the job does not come up; or it has run before and
            there is nothing to restore it from.
    """
    topic = topic_epochs(settings).current(settings.raw_topic)
    with FlinkCluster(settings.flink_rest_url) as cluster:
        if replace_jobs:
            LOG.info("end %s", ", ".join(replace_jobs))
        end_jobs(cluster, replace_jobs)
        alive = cluster.alive(JOB_NAME)
        skipped: dict[str, str] = {}
        if alive:
            record_job(settings, alive[0].id, desired.deployment_id)
            LOG.info("%s is there as %s: wait until all of it runs", JOB_NAME, alive[0].id)
            job = wait_running(cluster, alive[0].id)
            restored = cluster.checkpoints(job.id).restored_from
        else:
            release = find_release(settings, desired.release)
            config = reading(topic, config_of(settings, desired, release), release)
            for restored in restore_points(settings, desired)[: 1 if newest_only else MAX_SNAPSHOTS]:
                try:
                    LOG.info("submit release %s from %s", release.name, restored or "the topic's beginning")
                    job_id = submit(replace(config, restore_from=restored), release.folder)
                    record_job(settings, job_id, desired.deployment_id)
                    LOG.info("submitted as %s: wait until all of it runs", job_id)
                    job = wait_running(cluster, job_id)
                    reports_from = desired.bounds.ledger_from if desired.bounds else None
                    if restored and (rows := remove_given_up_runs(settings, restored, job_id, reports_from)):
                        LOG.info("removed %d ledger rows of jobs that it does not go on from", rows)
                    break
                except RestoreFailed as failed:
                    LOG.warning("it cannot be restored from %s: %s", restored, failed)
                    end_jobs(cluster, [each.id for each in cluster.alive(JOB_NAME)])
                    skipped[str(restored)] = str(failed)
            else:
                reasons = "; ".join(f"{uri}: {reason}" for uri, reason in skipped.items())
                raise CtrError(f"{JOB_NAME} can be restored from none of the newest snapshots: {reasons}")
    LOG.info("%s runs as %s", JOB_NAME, job.id)
    ui = (settings.flink_ui_url or settings.flink_rest_url).rstrip("/")
    return Submission(
        job_id=job.id,
        already_running=bool(alive),
        parallelism=job.parallelism,
        restored_from=restored,
        skipped=skipped,
        release=desired.release,
        url=f"{ui}/#/job/running/{job.id}/overview",
    )


def reading(topic: Epoch, config: JobConfig, release: Release) -> JobConfig:
    """Tell a job which topic it reads, if its code can be told.

    Raises:
        UsageError: it cannot, and would take another topic's offsets for this one's.
    """
    if release.knows("topic_epoch"):
        return replace(config, topic_id=topic.topic_id, topic_epoch=topic.number)
    if topic.number > 1:
        raise UsageError(
            f"release {release.name} cannot tell {topic.topic} from the topic that had its name before: "
            f"start the code that is installed, by materializing {JOB_NAME} with from_nothing: true"
        )
    return config


def understood(config: JobConfig, release: Release) -> JobConfig:
    """Leave out the event's schema for code that has a file of its own, and refuses what it does not know.

    Raises:
        UsageError: it would count another stream than this one.
    """
    declared = {each.name: default_of(each) for each in fields(config) if each.name in DECLARED}
    for name, shipped in declared.items():
        if getattr(config, name) != shipped and not release.knows(name):
            raise UsageError(
                f"release {release.name} counts the stream that ships and no other: upgrade to the code that "
                "is installed"
            )
    return config if release.knows("reader_schema") else replace(config, reader_schema="")


def config_of(
    settings: Settings, desired: DesiredState, release: Release, stream: DeclaredStream | None = None
) -> JobConfig:
    """What a job of this order and code is told.

    Args:
        settings: where everything is.
        desired: what the job is to be.
        release: its code.
        stream: what it counts; None: what is counted now.

    Raises:
        UsageError: the release is older than the declaration of streams, and this one is not what it counts.
        CtrError: the release's ingest stage does not compile, or Postgres is unavailable.
    """
    if stream is None:
        engine = writing_engine(settings.postgres_url, "ctr-deploy")
        with warehouse_errors(settings.postgres_url), engine.connect() as connection:
            stream = counted_stream(connection).stream
    jar = build_jar("ctr-ingest", release.ingest_sources, ingest_classpath())
    return replace(
        understood(job_config(settings, stream, jar), release),
        checkpoint_dir=snapshot_folder(settings),
        parallelism=desired.parallelism or settings.flink_parallelism,
        bounds=desired.bounds,
    )
