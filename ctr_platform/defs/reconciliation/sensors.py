"""The sensor that reports the reconciliation's passes as evaluations and materializations, without a run."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import dagster as dg

from contract.errors import WarehouseUnavailable
from ctr_platform.defs.catalog import WINDOW_ACCURACY, table_of
from ctr_platform.defs.reconciliation.assets import CONSERVED_CHECK, EXACT_CHECK, HOURS, NO_GAPS_CHECK
from ctr_platform.defs.reconciliation.metadata import metadata_of_passes
from ctr_platform.defs.reconciliation.passes import passes_after
from ctr_platform.resources import Platform
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.recount import ReconciliationPass

LOOK_EVERY_S: Final = 30
"""The follower makes a pass a minute: a wrong window is red within a minute and a half."""

REFRESH_AFTER_S: Final = 300
"""What stays as it is is reported this often: some 900 event rows a day, in place of 3,000."""

MAX_PASSES: Final = 500
"""Enough for a daemon that was unavailable for hours; of older passes the newest ones say what is so now."""

PASSED: Final = "passed"
"""Status of a check that passes; of one that fails its severity."""


@dataclass(frozen=True, kw_only=True)
class _Memory:
    """What the sensor knows from its last report: its cursor."""

    pass_id: int = 0
    """The newest pass that has been reported."""

    reported_at_s: float = 0.0
    statuses: tuple[str, ...] = ()
    """What the checks said."""


@dg.sensor(
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Reports what the follower, or a run, has verified: evaluates the checks of quality/window_accuracy, "
        "and materializes the hours with new results. At once when a check changes, else every five minutes."
    ),
)
def report_reconciliation(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """Read the passes since the last report; report them if it is time to."""
    settings = platform.settings()
    memory = _memory(context)
    engine = writing_engine(settings.postgres_url, "ctr-report-reconciliation")
    try:
        with warehouse_errors(settings.postgres_url):
            passes = passes_after(engine, settings.raw_topic, memory.pass_id, MAX_PASSES)
    except WarehouseUnavailable as unavailable:
        return dg.SensorResult(skip_reason=str(unavailable), cursor=context.cursor)
    if not passes:
        return dg.SensorResult(skip_reason="no pass since the last report", cursor=context.cursor)
    exact_before = memory.statuses[:1] in ((), (PASSED,))
    evaluations = [
        _exact(_decisive(passes, exact_before=exact_before)),
        _conserved(passes[-1]),
        _no_gaps(passes[-1]),
    ]
    statuses = tuple(PASSED if each.passed else each.severity.value for each in evaluations)
    now_s = time.time()
    if statuses == memory.statuses and now_s - memory.reported_at_s < REFRESH_AFTER_S:
        return dg.SensorResult(
            skip_reason=f"{len(passes)} passes, the checks are as they were", cursor=context.cursor
        )
    after = _Memory(pass_id=passes[-1].pass_id, reported_at_s=now_s, statuses=statuses)
    return dg.SensorResult(
        asset_events=[*evaluations, *_materializations(passes)], cursor=json.dumps(asdict(after))
    )


def _memory(context: dg.SensorEvaluationContext) -> _Memory:
    if not context.cursor:
        return _Memory()
    values = json.loads(context.cursor)
    return _Memory(**{**values, "statuses": tuple(values["statuses"])})


def _decisive(passes: Sequence[ReconciliationPass], *, exact_before: bool) -> ReconciliationPass:
    """Choose the newest pass; where it finds all exact, one before it whose finding is not reported yet."""
    if passes[-1].inexact or not exact_before:
        return passes[-1]
    return min(reversed(passes), key=lambda each: each.lowest_accuracy)


def _exact(verified: ReconciliationPass) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=WINDOW_ACCURACY,
        check_name=EXACT_CHECK.name,
        passed=verified.inexact == 0,
        description=_worst(verified),
        metadata={
            "windows": verified.windows,
            "inexact": verified.inexact,
            "lowest_accuracy": float(verified.lowest_accuracy),
            **({"least_accurate": table_of(verified.least_accurate)} if verified.least_accurate else {}),
        },
    )


def _worst(verified: ReconciliationPass) -> str:
    if not verified.least_accurate:
        return ""
    worst = verified.least_accurate[0]
    return (
        f"{verified.inexact} not exact, {worst['window_type']} of {worst['window_start']} the least: "
        f"{worst['accuracy']} %, {worst['actual_impressions']} of {worst['expected_impressions']} impressions"
    )


def _conserved(newest: ReconciliationPass) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=WINDOW_ACCURACY,
        check_name=CONSERVED_CHECK.name,
        passed=not newest.unbalanced,
        metadata={
            "partitions_compared": newest.partitions_compared,
            **{f"partition {each['partition']}: recount minus ledger": each for each in newest.unbalanced},
        },
    )


def _no_gaps(newest: ReconciliationPass) -> dg.AssetCheckEvaluation:
    first = next(iter(newest.gaps), None)
    return dg.AssetCheckEvaluation(
        asset_key=WINDOW_ACCURACY,
        check_name=NO_GAPS_CHECK.name,
        passed=first is None,
        description=""
        if first is None
        else (
            f"{len(newest.gaps)} gap(s): of {first['topic']}, partition {first['partition']}, the offsets "
            f"{first['first_offset']} to {first['end_offset'] - 1} were deleted before the {first['reader']} "
            "had read them"
        ),
        metadata={"gaps": table_of(newest.gaps)} if newest.gaps else {},
    )


def _materializations(passes: Sequence[ReconciliationPass]) -> list[dg.AssetMaterialization]:
    """Every hour with a result that is new counts as materialized once."""
    hours = sorted({hour for each in passes for hour in each.changed_hours})
    metadata = metadata_of_passes(passes)
    return [
        dg.AssetMaterialization(
            WINDOW_ACCURACY, metadata=metadata, partition=datetime.fromisoformat(hour).strftime(HOURS.fmt)
        )
        for hour in hours
    ]
