"""The read side of what verifies the counts: verifications, outcomes, the job's metrics, and alerts.

Each read is bounded by the span that is asked for, however long the history is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Interval, func, literal, not_, or_, select

from warehouse.models.accounting import LedgerRow
from warehouse.models.alerts import AlertMute, AlertRow
from warehouse.models.operation import JobMetricsRow
from warehouse.models.recount import WindowVerification
from warehouse.read_connections import MAX_WINDOWS, ReadConnections, require_few_windows
from warehouse.views import WINDOW_ACCURACY

if TYPE_CHECKING:
    from sqlalchemy import RowMapping, ScalarSelect, Subquery

    from warehouse.windows import WindowType

MAX_BUCKETS: Final = MAX_WINDOWS
"""The most buckets of outcomes of one read: as many as windows."""

MAX_LOOKS: Final = 6000
"""The most metrics of one read, the newest: a day of them at one look in 15 s (5,760), and some."""

MAX_ALERTS: Final = 100
"""The most open alerts that are read, the newest: nobody reads more."""

EXACT_ACCURACY: Final = 100

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """One window against its independent recount; see the view `quality.window_accuracy`."""

    window_type: WindowType
    window_start: datetime
    expected_impressions: int
    actual_impressions: int
    expected_clicks: int
    actual_clicks: int
    late: int
    accuracy: float
    """Percent, truncated to 2 decimals."""

    checked_at: datetime

    @property
    def exact(self) -> bool:
        """Whether nothing differs."""
        return self.accuracy == EXACT_ACCURACY and self.actual_clicks == self.expected_clicks


@dataclass(frozen=True, kw_only=True)
class OutcomeCounts:
    """What became of the records that the ledger tells of within one bucket of time."""

    start: datetime
    """Start of the bucket (inclusive), UTC."""

    records_read: int
    counted: int
    late: int
    malformed: int
    unknown_schema: int
    invalid: int

    @property
    def dead(self) -> int:
        """The last three together."""
        return self.malformed + self.unknown_schema + self.invalid


@dataclass(frozen=True, kw_only=True)
class JobMetricsSample:
    """One look at the Flink job. What it did not measure is None."""

    observed_at: datetime
    job_id: str
    checkpoint_age_s: float
    checkpoint_duration_ms: int | None
    checkpoint_bytes: int | None
    checkpoints_completed: int
    checkpoints_failed: int
    records_waiting: int | None
    watermark_lag_s: float | None
    busy_percent: float | None
    backpressured_percent: float | None
    heap_percent: float | None


@dataclass(frozen=True, kw_only=True)
class OpenAlert:
    """A problem that is not over."""

    alert_id: int
    key: str
    title: str
    detail: str
    url: str
    mend_url: str
    runbook: str
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_why: str | None
    muted_until: datetime | None
    """None: people are notified of it."""


@dataclass(frozen=True, kw_only=True)
class Mute:
    """Alerts of which nobody is notified for a while."""

    pattern: str
    muted_until: datetime
    muted_by: str
    why: str


class QualityRecords(ReadConnections):
    """Reads the schema `quality`."""

    def verifications(self, window_type: WindowType, start: datetime, end: datetime) -> list[Verification]:
        """The latest verification of each window that starts within `[start, end)`, newest window first.

        Raises:
            ValueError: the span has room for more than `MAX_WINDOWS` windows.
        """
        require_few_windows(window_type, start, end)
        columns = WINDOW_ACCURACY.c
        query = (
            select(WINDOW_ACCURACY)
            .where(columns.window_type == window_type)
            .where(columns.window_start >= start, columns.window_start < end)
            .order_by(columns.window_start.desc())
        )
        with self._connection() as connection:
            return [_verification(row) for row in connection.execute(query).mappings()]

    def latest_verification(self, window_type: WindowType) -> Verification | None:
        """The latest verification of the newest window that was verified; None before the first."""
        # Not from the view, which would first choose among the verifications of every window.
        query = (
            select(*(WindowVerification.__table__.c[column.name] for column in WINDOW_ACCURACY.c))
            .where(WindowVerification.window_type == window_type)
            .order_by(WindowVerification.window_start.desc(), WindowVerification.checked_at.desc())
            .limit(1)
        )
        with self._connection() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return _verification(row) if row is not None else None

    def outcomes(self, since: datetime, bucket: timedelta) -> list[OutcomeCounts]:
        """What the ledger tells of since then, by when it was written, oldest bucket first.

        Buckets are aligned to the epoch; one without any records is absent. Rows that a later run has read
        again are left out, as the view `quality.ledger_current` does; since only rows written later supersede
        a row, those of the span are enough to know, and the length of the ledger costs nothing.

        Raises:
            ValueError: there is room for more than `MAX_BUCKETS` buckets since then.
        """
        if datetime.now(tz=UTC) - since > MAX_BUCKETS * bucket:
            raise ValueError(f"outcomes come in at most {MAX_BUCKETS} buckets")
        rows = _current_since(since)
        start = func.date_bin(literal(bucket, Interval), rows.c.written_at, _EPOCH).label("start")
        sums = (
            func.sum(rows.c[name]).cast(BigInteger).label(name)
            for name in ("records_read", "counted", "late", "malformed", "unknown_schema", "invalid")
        )
        query = select(start, *sums).group_by(start).order_by(start)
        with self._connection() as connection:
            return [OutcomeCounts(**row) for row in connection.execute(query).mappings()]

    def vital_signs(self, since: datetime) -> list[JobMetricsSample]:
        """The looks at the job since then, oldest first; of more than `MAX_LOOKS` the newest."""
        table = JobMetricsRow.__table__
        newest = select(table).where(table.c.observed_at >= since).order_by(table.c.observed_at.desc())
        with self._connection() as connection:
            found = connection.execute(newest.limit(MAX_LOOKS)).mappings().all()
        return [JobMetricsSample(**row) for row in reversed(found)]

    def open_alerts(self) -> list[OpenAlert]:
        """The problems that last, the newest first: at most `MAX_ALERTS`."""
        names = [name for name in OpenAlert.__dataclass_fields__ if name != "muted_until"]
        query = (
            select(*(AlertRow.__table__.c[name] for name in names), muted_until().label("muted_until"))
            .where(AlertRow.recovered_at.is_(None))
            .order_by(AlertRow.opened_at.desc(), AlertRow.alert_id.desc())
            .limit(MAX_ALERTS)
        )
        with self._connection() as connection:
            return [OpenAlert(**row) for row in connection.execute(query).mappings()]

    def mutes(self) -> list[Mute]:
        """The mutes that have not ended, the next to end first: at most `MAX_ALERTS`."""
        table = AlertMute.__table__
        query = (
            select(*(table.c[name] for name in Mute.__dataclass_fields__))
            .where(AlertMute.muted_until > func.now())
            .order_by(AlertMute.muted_until, AlertMute.mute_id)
            .limit(MAX_ALERTS)
        )
        with self._connection() as connection:
            return [Mute(**row) for row in connection.execute(query).mappings()]


def muted_until() -> ScalarSelect[datetime]:
    """Within a query of `AlertRow`: the end of the mutes of an alert; NULL: there is none."""
    return (
        select(func.max(AlertMute.muted_until))
        .where(AlertMute.muted_until > func.now(), AlertRow.key.like(AlertMute.matches))
        .correlate(AlertRow)
        .scalar_subquery()
    )


def _verification(row: RowMapping) -> Verification:
    return Verification(**{**row, "accuracy": float(row["accuracy"])})


def _current_since(since: datetime) -> Subquery:
    """Rows of the ledger written since then that no later one supersedes.

    What supersedes a row is of a later run, or of a later checkpoint of the same run, and was never written
    before it. So the view's window function over these rows alone finds the same.
    """
    read_again_from = (
        func.min(LedgerRow.first_offset)
        .over(
            partition_by=(LedgerRow.topic, LedgerRow.partition),
            order_by=(LedgerRow.run_started_at.desc(), LedgerRow.checkpoint_id.desc()),
            rows=(None, -1),
        )
        .label("read_again_from")
    )
    rows = select(LedgerRow.__table__, read_again_from).where(LedgerRow.written_at >= since).subquery()
    superseded = rows.c.first_offset >= rows.c.read_again_from
    return select(rows).where(or_(rows.c.read_again_from.is_(None), not_(superseded))).subquery()
