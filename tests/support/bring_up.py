"""Dagster's job `bring_up` and the sensor that asks for it, each by one call."""

from __future__ import annotations

import dagster as dg

from ctr_platform.definitions import defs
from ctr_platform.defs.flink_job.supervisor import bring_up_job, keep_job_running
from ctr_platform.resources import Platform


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    """Let the supervisor look once."""
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        result = keep_job_running(context, platform=Platform())
    assert isinstance(result, dg.SensorResult)
    return result


def bring_up(instance: dg.DagsterInstance, request: dg.RunRequest | None = None) -> dg.ExecuteInProcessResult:
    """The run that the supervisor asked for, or one by hand."""
    return (
        defs()
        .resolve_job_def(bring_up_job.name)
        .execute_in_process(
            instance=instance,
            run_config=request.run_config if request else None,
            tags=request.tags if request else None,
        )
    )


def metadata(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str, object]:
    """What a run noted with an asset."""
    [event] = [each for each in result.get_asset_materialization_events() if each.asset_key == key]
    return {name: value.value for name, value in event.materialization.metadata.items()}
