"""Asset checks whose one author is a sensor: a run repeats what the sensor has said."""

from collections.abc import Iterator, Sequence
from typing import Final

import dagster as dg

RECENT: Final = 20
"""Of so many executions the newest that is over counts: more are not planned or under way at once."""


def evaluated_by_sensor(
    name: str, specs: Sequence[dg.AssetCheckSpec], sensor_name: str
) -> dg.AssetChecksDefinition:
    """Define checks that a sensor evaluates.

    Dagster knows no check without an op. This one judges nothing by itself: executed by hand, or beside the
    asset, it reports the sensor's newest evaluation once more, so that no two authors contradict each other.

    Args:
        name: of the op.
        specs: of the checks.
        sensor_name: who evaluates them.
    """

    @dg.multi_asset_check(
        name=name,
        specs=specs,
        can_subset=True,
        description=f"Repeats the newest evaluations of the sensor {sensor_name}, their only author.",
    )
    def repeat(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        for key in context.selected_asset_check_keys:
            yield _newest(context.instance, key, sensor_name)

    return repeat


def _newest(instance: dg.DagsterInstance, key: dg.AssetCheckKey, sensor_name: str) -> dg.AssetCheckResult:
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=RECENT)
    evaluations = (each.evaluation for each in history)
    # Not what is only planned: this very run, for one.
    evaluation = next((each for each in evaluations if isinstance(each, dg.AssetCheckEvaluation)), None)
    if evaluation is None:
        return dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"the sensor {sensor_name} has not evaluated it yet",
        )
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=evaluation.passed,
        severity=evaluation.severity,
        description=evaluation.description,
        metadata=evaluation.metadata,
    )
