"""Whether windows close: the job watermark moves while records are counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ctr_platform.defs.flink_job.health import HealthCheck

if TYPE_CHECKING:
    from contract.settings import Settings
    from ctr_platform.defs.flink_job.health import JobMetrics

WINDOWS_CLOSE: Final = "windows_close"
WINDOWS_CLOSE_MEANING: Final = "The job watermark moves while records are counted: their windows close."


@dataclass(frozen=True, kw_only=True)
class WatermarkStand:
    """Where the job watermark was when it last moved, and how many records were counted by then."""

    job_id: str
    watermark_ms: int | None
    counted: int
    since_s: float
    """Since the epoch."""

    counted_lately: int
    """Records counted by the newest sample: with fewer the next time the job has begun anew."""


def watermark_stand(now: JobMetrics, before: WatermarkStand | None) -> WatermarkStand | None:
    """The same as before, if the watermark has not moved since and the job has not begun anew.

    A job that is restored counts from 0 again, and has its own time to close what it can.
    """
    if now.outcomes is None:
        return before if before is not None and before.job_id == now.job_id else None
    counted = now.outcomes["counted"]
    if (
        before is not None
        and (before.job_id, before.watermark_ms) == (now.job_id, now.watermark_ms)
        and before.counted_lately <= counted
    ):
        return replace(before, counted_lately=counted)
    return WatermarkStand(
        job_id=now.job_id,
        watermark_ms=now.watermark_ms,
        counted=counted,
        since_s=now.at_s,
        counted_lately=counted,
    )


def windows_close(settings: Settings, now: JobMetrics, stand: WatermarkStand | None) -> HealthCheck:
    """Evaluate it by `WINDOWS_CLOSE_ALARM`; what is not known is good.

    Args:
        settings: the threshold.
        now: the newest sample.
        stand: since when the watermark has stood where it stands now; None: that is not known.
    """
    if stand is None or now.outcomes is None:
        return HealthCheck(name=WINDOWS_CLOSE, good=True, message="not measured yet")
    stood_s = now.at_s - stand.since_s
    counted = now.outcomes["counted"] - stand.counted
    # Without traffic it stands as well, and there is nothing to close.
    good = stood_s <= settings.windows_close_alarm or counted == 0
    where = "no window has closed yet"
    if stand.watermark_ms is not None:
        at = datetime.fromtimestamp(stand.watermark_ms / 1000, tz=UTC)
        where = f"the job watermark is {at:%Y-%m-%d %H:%M:%S} UTC"
    return HealthCheck(
        name=WINDOWS_CLOSE,
        good=good,
        error=not good,
        message=f"{where}, for {stood_s:.0f} s, in which {counted} records were counted",
        figures={"stands_s": round(stood_s, 1), "counted_records": counted},
    )
