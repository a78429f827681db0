"""What must hold of the running job."""

from typing import Final

import dagster as dg

from ctr_platform.defs.catalog import FLINK_JOB
from ctr_platform.defs.flink_job.health import HEALTH_CHECKS
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.windows_close import WINDOWS_CLOSE, WINDOWS_CLOSE_MEANING
from ctr_platform.defs.sensor_checks import evaluated_by_sensor
from ctr_platform.resources import Platform
from flink.config import JOB_NAME

SUPERVISED: Final = dg.AssetCheckSpec(
    "supervised",
    asset=FLINK_JOB,
    description="The job does its work, or is being brought back: the supervisor has not given it up.",
)
FLINK_ANSWERS: Final = dg.AssetCheckSpec(
    "flink_answers",
    asset=FLINK_JOB,
    description="The JobManager answers. Without it no job runs, and none can be started.",
)
BY_SUPERVISOR: Final = [SUPERVISED, FLINK_ANSWERS]
supervised: Final = evaluated_by_sensor("supervised", BY_SUPERVISOR, "keep_job_running")

JOB_HEALTH: Final = [
    dg.AssetCheckSpec(name, asset=FLINK_JOB, description=meaning)
    for name, meaning in {**HEALTH_CHECKS, WINDOWS_CLOSE: WINDOWS_CLOSE_MEANING}.items()
]
job_health: Final = evaluated_by_sensor("job_health", JOB_HEALTH, "observe_job")


@dg.asset_check(asset=FLINK_JOB, description="Exactly one job of that name is on the cluster, and it runs.")
def single_instance(platform: Platform) -> dg.AssetCheckResult:
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
            for name, count in cluster.metrics(job.id).summed("numLateRecordsDropped").items()
        }
    return dg.AssetCheckResult(
        # Without counters nothing is known.
        passed=bool(dropped) and not any(dropped.values()),
        metadata={"dropped": sum(dropped.values()), "counters": len(dropped)},
    )
