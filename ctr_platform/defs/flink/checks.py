"""What must hold of the running job."""

import time
from typing import Final

import dagster as dg

from ctr_platform.defs.platform import FLINK_JOB, Platform
from ctr_platform.flink_cluster.health import examine
from ctr_platform.flink_cluster.rest import FlinkCluster
from flink.config import JOB_NAME

OVERDUE_INTERVALS: Final = 3
"""Without a checkpoint for so many intervals: one may fail, and the next may be on its way."""


KEPT_ALIVE: Final = "kept_alive"


@dg.asset_check(
    asset=FLINK_JOB,
    name=KEPT_ALIVE,
    description="The job does its work, or is being brought back: the supervisor has not given it up.",
)
def kept_alive(platform: Platform) -> dg.AssetCheckResult:
    """The supervisor, the sensor `keep_job_running`, says so too when it gives up."""
    settings = platform.settings()
    with FlinkCluster(settings.flink_rest_url) as cluster:
        health = examine(cluster, settings)
    return dg.AssetCheckResult(passed=health.problem is None, description=health.detail)


@dg.asset_check(asset=FLINK_JOB, description="Exactly one job of that name is on the cluster, and it runs.")
def runs_once(platform: Platform) -> dg.AssetCheckResult:
    """None is an outage; two would write the same windows twice over."""
    with FlinkCluster(platform.settings().flink_rest_url) as cluster:
        alive = cluster.alive(JOB_NAME)
    return dg.AssetCheckResult(
        passed=[job.state for job in alive] == ["RUNNING"],
        metadata={job.id: job.state for job in alive} or {"alive": 0},
    )


@dg.asset_check(
    asset=FLINK_JOB,
    description="Flink's own counters of late records are 0: what is late was found late before the windows.",
)
def nothing_dropped_late(platform: Platform) -> dg.AssetCheckResult:
    """A record that Flink's windows drop would be lost in silence."""
    with FlinkCluster(platform.settings().flink_rest_url) as cluster:
        dropped = {
            name: count
            for job in cluster.alive(JOB_NAME)
            for name, count in cluster.summed_metrics(job.id, "numLateRecordsDropped").items()
        }
    return dg.AssetCheckResult(
        # Without counters nothing is known.
        passed=bool(dropped) and not any(dropped.values()),
        metadata={"dropped": sum(dropped.values()), "counters": len(dropped)},
    )


@dg.asset_check(
    asset=FLINK_JOB, description="The job's newest checkpoint is recent: after a loss little is read twice."
)
def checkpoints_complete(platform: Platform) -> dg.AssetCheckResult:
    """Judge the age of the newest, or of the job while its first is not due."""
    settings = platform.settings()
    with FlinkCluster(settings.flink_rest_url) as cluster:
        alive = cluster.alive(JOB_NAME)
        if not alive:
            return dg.AssetCheckResult(passed=False, metadata={"alive": 0})
        checkpoints = cluster.checkpoints(alive[0].id)
    latest = checkpoints.latest
    since_ms = alive[0].started_ms if latest is None else latest.triggered_ms + latest.duration_ms
    age_s = time.time() - since_ms / 1000
    allowed_s = OVERDUE_INTERVALS * settings.flink_checkpoint_interval
    metadata = {
        "age_s": round(age_s, 1),
        "allowed_s": allowed_s,
        "completed": checkpoints.completed,
        "failed": checkpoints.failed,
    }
    if latest is not None:
        metadata |= {"duration_ms": latest.duration_ms, "size_bytes": latest.size_bytes}
    return dg.AssetCheckResult(
        passed=age_s <= allowed_s, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
    )
