"""What is wanted of the job, what runs, and who looks after it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Identity,
    Index,
    false,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.models.base import QUALITY, Base


class DeploymentRow(Base):
    """What a person, or an operation, wants of the streaming job; the newest row holds."""

    __tablename__ = "deployments"
    __table_args__ = ({"schema": QUALITY},)

    deployment_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Number of the deployment; the highest holds."""
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it was recorded."""
    operation: Mapped[str]
    """`start`, `stop`, `upgrade` ..."""
    why: Mapped[str]
    """Why, in the words of the person or operation."""
    running: Mapped[bool]
    """False: the job is to stay stopped."""
    release: Mapped[str]
    """Name of the job's code in `RELEASE_DIR`."""
    parallelism: Mapped[int | None]
    """None: as the settings have it."""
    restore_from: Mapped[str | None]
    """URI of the snapshot to begin with; None: the newest."""
    restore_job_id: Mapped[str | None]
    """Flink's id of the job that took it; NULL: not one of `quality.submitted_jobs`."""
    restore_checkpoint_id: Mapped[int | None] = mapped_column(BigInteger)
    """Its checkpoint id; NULL: unknown, and taken for the job's last."""
    excludes_since: Mapped[bool] = mapped_column(server_default=false())
    """What earlier deployments' jobs took after `restore_from` is never restored from, by later rows either;
    without `restore_from`, nothing that they took is."""
    bounds: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Which windows are the job's business; None: all."""


class SubmittedJobRow(Base):
    """A job that this installation has submitted: only its snapshots are restored from, or deleted."""

    __tablename__ = "submitted_jobs"
    __table_args__ = (Index(None, "job_id", unique=True), {"schema": QUALITY})

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Counts the submissions: the snapshots of a later job are newer."""
    job_id: Mapped[str]
    """Flink's id of the job."""
    deployment_id: Mapped[int | None] = mapped_column(BigInteger)
    """The row of `quality.deployments` that wanted it; NULL: it is older than any."""
    submitted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it was recorded; the snapshots of the jobs before are older."""


class InstallationRow(Base):
    """What tells this installation from others that share `FLINK_CHECKPOINT_DIR`."""

    __tablename__ = "installations"
    __table_args__ = ({"schema": QUALITY},)

    job_name: Mapped[str] = mapped_column(primary_key=True)
    """Name of the streaming job."""
    installation_id: Mapped[str]
    """Random; the name of the folder of its snapshots ends in it."""


SUPERVISOR: Final = "supervisor"
FOLLOWER: Final = "follower"
WATCHDOG: Final = "watchdog"
"""Who has a heartbeat: the watcher of the Flink job, the reconciliation's follower, their watchdog."""


class Heartbeat(Base):
    """When a watcher last looked."""

    __tablename__ = "heartbeats"
    __table_args__ = ({"schema": QUALITY},)

    name: Mapped[str] = mapped_column(primary_key=True)
    """`supervisor` or `watchdog`."""
    beat_at: Mapped[datetime]
    """When it last looked."""
    detail: Mapped[str]
    """What it saw, in one line."""


class JobMetricsRow(Base):
    """One look at the Flink job: its recent history, for readers who cannot ask Flink."""

    __tablename__ = "vital_signs"
    __table_args__ = ({"schema": QUALITY},)

    observed_at: Mapped[datetime] = mapped_column(primary_key=True)
    """When the job was polled."""
    job_id: Mapped[str]
    """Flink's id of the job."""
    checkpoint_age_s: Mapped[float]
    """Since the newest completed, or since the job's start."""
    checkpoint_duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Duration of the newest completed checkpoint."""
    checkpoint_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """Size of the newest completed checkpoint."""
    checkpoints_completed: Mapped[int]
    """Checkpoints completed since the job's start."""
    checkpoints_failed: Mapped[int]
    """Checkpoints failed since the job's start."""
    records_waiting: Mapped[int | None] = mapped_column(BigInteger)
    """Consumer lag: records in the topic that have not been read."""
    watermark_lag_s: Mapped[float | None]
    """Job watermark behind the clock; on an idle topic it grows."""
    busy_percent: Mapped[float | None]
    """Share of time that the busiest task was busy."""
    backpressured_percent: Mapped[float | None]
    """Share of time that the most back-pressured task waited for a slower one."""
    heap_percent: Mapped[float | None]
    """Used share of the fullest TaskManager's JVM heap."""
