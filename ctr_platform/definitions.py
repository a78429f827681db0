"""The Dagster code location: everything around the stream, and the stream's lineage."""

from __future__ import annotations

import dagster as dg

from ctr_platform.defs.alerts.sensors import tell_problems
from ctr_platform.defs.automation import apply_new_code, foundation
from ctr_platform.defs.dead_letters.jobs import replay_dead_letters
from ctr_platform.defs.flink.assets import ctr_windows, flink_ui
from ctr_platform.defs.flink.checks import kept_alive, nothing_dropped_late, runs_once, vital_signs
from ctr_platform.defs.flink.observe import observe_job
from ctr_platform.defs.flink.sensors import bring_up_job, keep_job_running
from ctr_platform.defs.kafka.assets import (
    ERROR_STREAM,
    RAW_STREAM,
    REPLAYS_STREAM,
    WINDOWS_STREAM,
    partitions_as_wanted,
)
from ctr_platform.defs.late_merge.assets import LATE_EVENTS_TABLE
from ctr_platform.defs.late_merge.jobs import merge_late
from ctr_platform.defs.operations.jobs import (
    apply_retention,
    daily_retention,
    hand_over_code,
    rescale,
    restart_drill,
    restore,
    stop,
    upgrade_code,
    weekly_drill,
)
from ctr_platform.defs.platform import Platform
from ctr_platform.defs.quality.assets import report, report_pages
from ctr_platform.defs.quality.schedules import report_every_5_minutes, report_job
from ctr_platform.defs.recount.assets import window_accuracy
from ctr_platform.defs.recount.schedules import recount_every_minute, recount_job
from ctr_platform.defs.repair.assets import repaired_windows
from ctr_platform.defs.stream.assets import CACHE, dashboard
from ctr_platform.defs.stream.sensors import observe_stream
from ctr_platform.defs.warehouse.assets import TABLES
from ctr_platform.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """All definitions; only the addresses of the web pages come from the settings."""
    settings = load_settings()
    return dg.Definitions(
        assets=[
            *foundation(),
            RAW_STREAM,
            ctr_windows,
            ERROR_STREAM,
            WINDOWS_STREAM,
            REPLAYS_STREAM,
            *TABLES,
            *CACHE,
            LATE_EVENTS_TABLE,
            window_accuracy,
            report,
            report_pages(settings.quality_url),
            repaired_windows,
            dashboard(settings.dashboard_url),
            flink_ui(settings.flink_ui_url or settings.flink_rest_url),
        ],
        asset_checks=[
            partitions_as_wanted,
            kept_alive,
            runs_once,
            vital_signs,
            nothing_dropped_late,
        ],
        jobs=[
            bring_up_job,
            stop,
            rescale,
            restore,
            upgrade_code,
            hand_over_code,
            restart_drill,
            apply_retention,
            recount_job,
            report_job,
            merge_late,
            replay_dead_letters,
        ],
        schedules=[recount_every_minute, report_every_5_minutes, weekly_drill, daily_retention],
        sensors=[keep_job_running, observe_job, observe_stream, tell_problems, apply_new_code],
        resources={"platform": Platform()},
    )
