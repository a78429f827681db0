"""The tables of the warehouse, typed, but for those whose columns a stream declares: `stream_tables`.

Times are `timestamptz`; counts are exact integers.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Double,
    Identity,
    Index,
    MetaData,
    Numeric,
    Text,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

REALTIME: Final = "realtime"
"""Schema of what the job counts."""

QUALITY: Final = "quality"
"""Schema of what verifies the counts."""


NAMING: Final = {"pk": "%(table_name)s_pkey", "ix": "%(table_name)s_%(column_0_N_name)s_idx"}
"""How constraints are called."""


class Base(DeclarativeBase):
    """Names constraints by rule, so that a migration can name them too."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        datetime: DateTime(timezone=True),
        Decimal: Numeric(5, 2),
        float: Double(),
    }


class LedgerRow(Base):
    """What became of the records that one run of the job read from one partition up to a checkpoint.

    A run is a submission of the job. One that starts from an older checkpoint reads offsets again: the
    view `quality.ledger_current` leaves out the rows that this supersedes.
    """

    __tablename__ = "ledger"
    __table_args__ = (Index(None, "written_at"), {"schema": QUALITY})

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_offset: Mapped[int] = mapped_column(BigInteger)
    checkpoint_id: Mapped[int] = mapped_column(BigInteger)
    """Flink's number of the checkpoint that completed the range."""
    records_read: Mapped[int] = mapped_column(BigInteger)
    counted: Mapped[int] = mapped_column(BigInteger)
    late: Mapped[int] = mapped_column(BigInteger)
    malformed: Mapped[int] = mapped_column(BigInteger)
    unknown_schema: Mapped[int] = mapped_column(BigInteger)
    invalid: Mapped[int] = mapped_column(BigInteger)
    job_id: Mapped[str]
    """Flink's id of the job."""
    run_started_at: Mapped[datetime] = mapped_column(primary_key=True)
    """Start of the submission: it identifies the run."""
    job_watermark: Mapped[datetime | None]
    """Windows that end by it were closed then; the epoch: none was. NULL: an older release does not say."""
    written_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """With its present checkpoint; a trigger sees to it when another one takes the row's place."""


class WindowVerification(Base):
    """One verification of one window against an independent recount.

    The view `quality.window_accuracy` shows the latest of each window.
    """

    __tablename__ = "window_accuracy_history"
    __table_args__ = (Index(None, "checked_at"), {"schema": QUALITY})

    window_type: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    expected_impressions: Mapped[int] = mapped_column(BigInteger)
    actual_impressions: Mapped[int] = mapped_column(BigInteger)
    expected_clicks: Mapped[int] = mapped_column(BigInteger)
    actual_clicks: Mapped[int] = mapped_column(BigInteger)
    late: Mapped[int] = mapped_column(BigInteger)
    """Late records of the window, merged or not."""
    accuracy: Mapped[Decimal]


class TopicEpochRow(Base):
    """A Kafka topic that has, or had, a name: of a topic that was deleted and made anew each has a row.

    Everything that this database has by offset is the newest one's. What it has of an earlier one bears the
    topic's name with `@` and the earlier one's number.
    """

    __tablename__ = "topic_epochs"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    """Name of the topic."""
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, ...; the highest holds."""
    topic_id: Mapped[str]
    """Kafka's id of it."""
    began_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it was put on record."""
    why: Mapped[str]
    """The reason, in the words of the person who began it."""


class WriterSchema(Base):
    """A schema id of records, which keeps its meaning when the registry has forgotten it."""

    __tablename__ = "writer_schemas"
    __table_args__ = ({"schema": QUALITY},)

    schema_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The id in the record's header."""
    schema_text: Mapped[str]
    """The schema, as the registry gave it."""
    referenced: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Schemas that it refers to, each behind those that it refers to itself."""
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When a record of it was first read."""


class OffsetGap(Base):
    """Offsets that retention has deleted before a reader had read them: an error until acknowledged."""

    __tablename__ = "offset_gaps"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reader: Mapped[str] = mapped_column(primary_key=True)
    """`job` or `recount`."""
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Where the reader was to go on."""
    end_offset: Mapped[int] = mapped_column(BigInteger)
    """Where it went on, or can; of what lies between, all that was readable is lost to it."""
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it was found."""
    acknowledged_at: Mapped[datetime | None]
    """When a person accepted it."""
    why: Mapped[str | None]
    """The reason for that."""


class InexactWindow(Base):
    """A window whose latest verification is below 100 %: an error until it is exact or acknowledged."""

    __tablename__ = "inexact_windows"
    __table_args__ = ({"schema": QUALITY},)

    window_type: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    expected_impressions: Mapped[int] = mapped_column(BigInteger)
    actual_impressions: Mapped[int] = mapped_column(BigInteger)
    expected_clicks: Mapped[int] = mapped_column(BigInteger)
    actual_clicks: Mapped[int] = mapped_column(BigInteger)
    accuracy: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it was found first."""
    acknowledged_at: Mapped[datetime | None]
    """When a person accepted these figures; other figures are an error again."""
    why: Mapped[str | None]
    """The reason for that."""


class RecountProgress(Base):
    """How far the recount has read a partition, and what it found there: state of the next pass."""

    __tablename__ = "recount_progress"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger)
    """The first that was there to read."""
    next_offset: Mapped[int] = mapped_column(BigInteger)
    clear_offset: Mapped[int | None] = mapped_column(BigInteger)
    """From `next_offset` to this there was no record, but markers of transactions; NULL: not known."""
    highest_time_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Highest of the lesser of event time and broker's time of a valid record below `next_offset`."""
    last_read_at: Mapped[datetime | None]
    """The broker's time of the last record."""
    last_valid_at: Mapped[datetime | None]
    """The broker's time of the last valid record that was not late."""
    last_timely_ms: Mapped[int | None] = mapped_column(BigInteger)
    """The same of the last record that the job cannot have called late either, ms since the epoch."""
    provable_from: Mapped[datetime | None]
    """Events of windows that start before this may lie below `first_offset`; None: there were none below."""
    records_read: Mapped[int] = mapped_column(BigInteger)
    counted: Mapped[int] = mapped_column(BigInteger)
    late: Mapped[int] = mapped_column(BigInteger)
    malformed: Mapped[int] = mapped_column(BigInteger)
    unknown_schema: Mapped[int] = mapped_column(BigInteger)
    invalid: Mapped[int] = mapped_column(BigInteger)


class AwaitedLetters(Base):
    """Rejected records, of some that the recount read at once, whose dead-letter messages are awaited."""

    __tablename__ = "awaited_letters"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The first of them."""
    last_offset: Mapped[int] = mapped_column(BigInteger)
    """The last of them."""
    offsets: Mapped[Any] = mapped_column(INT8MULTIRANGE)
    """Those whose messages have not been read yet."""
    missing: Mapped[bool]
    """Whether the error topic has been read to its end since: then the messages were not sent."""
    acknowledged_at: Mapped[datetime | None]
    """When a person accepted that they are missing."""
    why: Mapped[str | None]
    """The person's reason."""


class RecountSecond(Base):
    """Valid records of a partition of the same second, kept until all partitions have been read so far."""

    __tablename__ = "recount_seconds"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    first_ms: Mapped[int] = mapped_column(BigInteger)
    """The broker's time of the first of them, ms since the epoch."""
    last_ms: Mapped[int] = mapped_column(BigInteger)
    """The same of the last."""
    latest_end_ms: Mapped[int] = mapped_column(BigInteger)
    """The latest end of their windows, but for those that are late by content."""
    highest_before_ms: Mapped[int] = mapped_column(BigInteger)
    """As `highest_time_ms` of `RecountProgress`, before the first."""
    highest_ms: Mapped[int] = mapped_column(BigInteger)
    """The same behind the last."""


class RecountIdlePeriod(Base):
    """From when on windows can have been closed without a partition: what the job calls late may be so."""

    __tablename__ = "recount_idle_periods"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Of the first record after the idle period."""
    written_ms: Mapped[int] = mapped_column(BigInteger)
    """The broker's time of it, ms since the epoch."""
    allowed_ms: Mapped[int] = mapped_column(BigInteger)
    """Windows that end by this can have been closed by then."""


class RecountHour(Base):
    """An hour of the last day, and when a pass has verified it last."""

    __tablename__ = "recount_hours"
    __table_args__ = ({"schema": QUALITY},)

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    """Its start."""
    looked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When the pass was made."""


class RecountPending(Base):
    """A minute whose recount has changed since it was verified."""

    __tablename__ = "recount_pending"
    __table_args__ = ({"schema": QUALITY},)

    window_start: Mapped[datetime] = mapped_column(primary_key=True)


class ReconciliationPass(Base):
    """What a pass of the reconciliation has read and verified."""

    __tablename__ = "reconciliation_passes"
    __table_args__ = ({"schema": QUALITY},)

    pass_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Increases with time."""
    topic: Mapped[str]
    """The raw topic."""
    ended_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When its windows were verified."""
    reading_s: Mapped[float]
    """Seconds that it took to read what was new."""
    records_read: Mapped[int] = mapped_column(BigInteger)
    """Records of the raw topic that it has read."""
    dead_letters_read: Mapped[int] = mapped_column(BigInteger)
    """Messages of the error topic that it has read."""
    late_after_idleness: Mapped[int] = mapped_column(BigInteger)
    """Late records that only their dead-letter message tells of."""
    late_not_believed: Mapped[int] = mapped_column(BigInteger)
    """Records that a dead-letter message calls late and that cannot have been: the recount counts them."""
    outcomes: Mapped[dict[str, int]] = mapped_column(JSONB)
    """Records read, by outcome."""
    partitions_behind: Mapped[int]
    """Partitions with records that the job's ledger does not cover yet."""
    closed_until: Mapped[datetime | None]
    """Every window that ends by this was closed, so it was verified if its hour was looked at."""
    verifiable_from: Mapped[datetime | None]
    """Windows that start earlier cannot be verified: the topic no longer holds all their events."""
    windows: Mapped[int]
    """Windows verified."""
    inexact: Mapped[int]
    """Windows, however old, that are below 100 % and that nobody has acknowledged."""
    lowest_accuracy: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    """The least of their accuracies, in percent."""
    impressions: Mapped[int] = mapped_column(BigInteger)
    """Impressions that the recount has found in them."""
    changed_results: Mapped[int]
    """Windows whose result is new, or differs from their last one."""
    changed_hours: Mapped[list[str]] = mapped_column(JSONB)
    """Hours with a window whose result is new, as ISO moments."""
    least_accurate: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """The least accurate windows with their figures."""
    partitions_compared: Mapped[int]
    """Partitions whose ledger and recount reach equally far."""
    unbalanced: Mapped[list[dict[str, int]]] = mapped_column(JSONB)
    """Recount minus ledger, of the partitions where they differ."""
    gaps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Offsets that were deleted unread, of which nobody has acknowledged that."""


class DeadLetterReplay(Base):
    """A dead record that was put into the raw topic again, built from the replay ledger in Kafka."""

    __tablename__ = "dead_letter_replays"
    __table_args__ = (Index(None, "replayed_at"), {"schema": QUALITY})

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reason: Mapped[str]
    """Why it was dead-lettered."""
    repair: Mapped[str | None]
    """Name of the repair function; None: it went back unchanged."""
    replayed_partition: Mapped[int]
    """Partition of the record that was replayed."""
    replayed_offset: Mapped[int] = mapped_column(BigInteger)
    """Offset of the record that was replayed."""
    run_id: Mapped[str]
    """Dagster run that replayed it."""
    replayed_at: Mapped[datetime]
    """When it was replayed."""


class WindowRevision(Base):
    """How often late events were merged into a closed window, and which revision readers have been sent."""

    __tablename__ = "window_revisions"
    __table_args__ = ({"schema": REALTIME},)

    window_type: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    revision: Mapped[int]
    """Number of merges and backfills that changed the window."""
    published_revision: Mapped[int]
    """Newest revision whose document readers have been sent."""
    revised_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When the window was last revised."""


class MergeProgress(Base):
    """How far the dead-letter messages of late events have been merged."""

    __tablename__ = "merge_progress"
    __table_args__ = ({"schema": REALTIME},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    """The error topic."""
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    next_offset: Mapped[int] = mapped_column(BigInteger)
    """The first dead-letter message that has not been merged yet."""


class BackfillRow(Base):
    """Closed windows that were recomputed from the topic; not applied while `applied_at` is NULL."""

    __tablename__ = "repairs"
    __table_args__ = ({"schema": QUALITY},)

    repair_id: Mapped[str] = mapped_column(primary_key=True)
    window_from: Mapped[datetime]
    """Start of the first window."""
    window_until: Mapped[datetime]
    """End of the last window."""
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When the backfill began."""
    applied_at: Mapped[datetime | None]
    """When its windows were replaced; NULL: not, or a dry run."""
    rows_deleted: Mapped[int | None] = mapped_column(BigInteger)
    """Rows of counts that the windows held before."""
    rows_inserted: Mapped[int | None] = mapped_column(BigInteger)
    """Rows of counts that the windows hold since."""
    rows_changed: Mapped[int | None] = mapped_column(BigInteger)
    """Segments whose numbers differed."""


class AlertRow(Base):
    """An alert from its beginning to its end, and when people were notified of it."""

    __tablename__ = "alerts"
    __table_args__ = (
        # Of a key at most one is open.
        Index("alerts_open_key", "source", "key", unique=True, postgresql_where=text("recovered_at IS NULL")),
        {"schema": QUALITY},
    )

    alert_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Number of the alert."""
    source: Mapped[str]
    """Who noticed it."""
    key: Mapped[str]
    """Names what is wrong for as long as it lasts: of one source and key at most one alert is open."""
    title: Mapped[str]
    """One line for a person."""
    detail: Mapped[str]
    """One line more; the newest one counts."""
    url: Mapped[str]
    """Page that shows it."""
    mend_url: Mapped[str] = mapped_column(server_default="")
    """Page by which a person mends it; empty: the runbook says how."""
    runbook: Mapped[str] = mapped_column(server_default="")
    """Its section of the runbook: an anchor."""
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it began."""
    told_at: Mapped[datetime | None]
    """When people were last notified of it; None: not yet."""
    recovered_at: Mapped[datetime | None]
    """When it was over; NULL: it is open."""
    recovery_told_at: Mapped[datetime | None]
    """When the recovery was notified; NULL: not yet."""
    claimed_by: Mapped[str | None]
    """Who is notifying people of it at the moment, or was when its process ended."""
    claimed_until: Mapped[datetime | None]
    """End of that one's lease: from then on another one may."""
    acknowledged_at: Mapped[datetime | None]
    """When a person took it in hand: it is not repeated; NULL: nobody has."""
    acknowledged_by: Mapped[str | None]
    """Who that is."""
    acknowledged_why: Mapped[str | None]
    """What they say of it."""


class AlertMute(Base):
    """Alerts of which nobody is notified for a while."""

    __tablename__ = "alert_mutes"
    __table_args__ = ({"schema": QUALITY},)

    mute_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Number of the mute."""
    pattern: Mapped[str]
    """Keys of the alerts; `*` stands for any text."""
    matches: Mapped[str]
    """The same as a pattern of LIKE."""
    muted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it began."""
    muted_until: Mapped[datetime]
    """When it ends; of one that was ended early: when that was."""
    muted_by: Mapped[str]
    """Who muted them."""
    why: Mapped[str]
    """The reason."""


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


class StreamRow(Base):
    """A declaration of the stream, by which it is counted; the newest row holds."""

    __tablename__ = "streams"
    __table_args__ = ({"schema": QUALITY},)

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Counts the declarations; the highest holds."""
    declaration: Mapped[str]
    """The file `stream.toml`."""
    event_schema: Mapped[str]
    """The Avro schema of its events, JSON."""
    counted_from: Mapped[datetime | None]
    """Start of the first window that is counted by it; NULL: of all windows, or as those before."""
    applied_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """Since when it holds."""


class DimensionNameRow(Base):
    """What a value of a dimension is called.

    The rows of a dimension whose declaration has a file of names are that file's; those of others are written
    by whoever knows the names.
    """

    __tablename__ = "dimension_names"
    __table_args__ = ({"schema": REALTIME},)

    dimension: Mapped[str] = mapped_column(primary_key=True)
    """The dimension's column."""
    value: Mapped[str] = mapped_column(primary_key=True)
    """The value, as text."""
    name: Mapped[str]
    """What readers see of it; a blank one is none."""


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
