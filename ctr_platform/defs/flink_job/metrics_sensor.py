"""The sensor that looks at the job's vital signs: plots on the job's page, and checks, without any run."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import dagster as dg

from ctr_platform.defs.platform import FLINK_JOB, Platform
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.flink_cluster.transport import FlinkRefused, FlinkUnavailable
from ctr_platform.flink_cluster.vitals import Sign, Vitals, judge, look
from ctr_platform.watch.vital_signs import record
from warehouse.errors import WarehouseUnavailable

LOOK_EVERY_S: Final = 15
"""With the checkpoint's own interval: one that fails is known within half a minute."""

SAY_AGAIN_S: Final = 600
"""A check whose result stays the same is told this often: for its plot, and not for the event log's sake."""

SAMPLE_EVERY_S: Final = 3600
SAMPLES: Final = 24
"""The sizes of a day's checkpoints, one in an hour."""


@dataclass(frozen=True, kw_only=True)
class _Memory:
    """What the sensor knows from its last look: its cursor."""

    before: Vitals | None = None
    told: dict[str, bool] = field(default_factory=dict)
    """What each check last said."""

    told_at_s: float = 0.0
    sizes: list[int] = field(default_factory=list)
    sampled_at_s: float = 0.0


@dg.sensor(
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Looks at the Flink job's checkpoints, lag, watermark, back pressure, heap and refused records, "
        "plots them on the job's page, and judges them by the thresholds of the settings."
    ),
)
def observe_job(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """Look, plot, note it for the dashboard, and say what has changed."""
    settings = platform.settings()
    try:
        with FlinkCluster(settings.flink_rest_url) as cluster:
            vitals = look(cluster)
    except (FlinkUnavailable, FlinkRefused) as absent:
        return dg.SensorResult(skip_reason=str(absent), cursor=context.cursor)
    if vitals is None:
        return dg.SensorResult(skip_reason="not exactly one job is alive", cursor=context.cursor)
    with suppress(WarehouseUnavailable):
        record(settings, vitals)
    memory = _memory(context)
    signs = judge(settings, vitals, memory.before, memory.sizes)
    again = vitals.at_s - memory.told_at_s >= SAY_AGAIN_S
    telling = [sign for sign in signs if again or memory.told.get(sign.name) != sign.good]
    bad = [f"{sign.name}: {sign.remark}" for sign in signs if not sign.good]
    return dg.SensorResult(
        asset_events=[_observation(vitals), *(_evaluation(sign) for sign in telling)],
        cursor=json.dumps(asdict(_after(memory, vitals, signs, again=again))),
        skip_reason="; ".join(bad) or "all vital signs are good",
    )


def _memory(context: dg.SensorEvaluationContext) -> _Memory:
    if not context.cursor:
        return _Memory()
    values: dict[str, Any] = json.loads(context.cursor)
    before = values.pop("before")
    return _Memory(**values, before=Vitals(**before) if before else None)


def _after(memory: _Memory, vitals: Vitals, signs: list[Sign], *, again: bool) -> _Memory:
    after = replace(memory, before=vitals, told={sign.name: sign.good for sign in signs})
    if again:
        after = replace(after, told_at_s=vitals.at_s)
    if vitals.checkpoint_bytes is not None and vitals.at_s - memory.sampled_at_s >= SAMPLE_EVERY_S:
        sizes = [*memory.sizes, vitals.checkpoint_bytes][-SAMPLES:]
        after = replace(after, sizes=sizes, sampled_at_s=vitals.at_s)
    return after


def _observation(vitals: Vitals) -> dg.AssetObservation:
    figures = {name: value for name, value in asdict(vitals).items() if isinstance(value, int | float)}
    fates = {f"{fate}_records": count for fate, count in (vitals.fates or {}).items()}
    return dg.AssetObservation(FLINK_JOB, metadata={**figures, **fates, "job_id": vitals.job_id})


def _evaluation(sign: Sign) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=FLINK_JOB,
        check_name=sign.name,
        passed=sign.good,
        severity=dg.AssetCheckSeverity.WARN,
        description=sign.remark,
        metadata={name: value for name, value in sign.figures.items() if value is not None},
    )
