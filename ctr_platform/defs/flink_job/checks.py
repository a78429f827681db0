"""What must hold of the running job."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from ctr_platform.defs.platform import FLINK_JOB, Platform
from ctr_platform.flink_cluster.health import examine
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.flink_cluster.vitals import SIGNS, judge, look
from flink.config import JOB_NAME

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
            for name, count in cluster.metrics(job.id).summed("numLateRecordsDropped").items()
        }
    return dg.AssetCheckResult(
        # Without counters nothing is known.
        passed=bool(dropped) and not any(dropped.values()),
        metadata={"dropped": sum(dropped.values()), "counters": len(dropped)},
    )


SIGN_SPECS: Final = [
    dg.AssetCheckSpec(name, asset=FLINK_JOB, description=meaning) for name, meaning in SIGNS.items()
]


@dg.multi_asset_check(
    specs=SIGN_SPECS, description="The job's vital signs; the sensor observe_job looks at them too."
)
def vital_signs(platform: Platform) -> Iterator[dg.AssetCheckResult]:
    """Look once, and judge."""
    settings = platform.settings()
    with FlinkCluster(settings.flink_rest_url) as cluster:
        vitals = look(cluster)
    if vitals is None:
        for name in SIGNS:
            yield dg.AssetCheckResult(
                check_name=name, asset_key=FLINK_JOB, passed=False, description="not exactly one job is alive"
            )
        return
    for sign in judge(settings, vitals):
        yield dg.AssetCheckResult(
            check_name=sign.name,
            asset_key=FLINK_JOB,
            passed=sign.good,
            severity=dg.AssetCheckSeverity.WARN,
            description=sign.remark,
            metadata=sign.figures,
        )
