"""Notifies people of asset checks that fail and of jobs whose newest run failed, until they recover."""

import itertools
import time
from collections.abc import Iterable
from typing import Final

import dagster as dg

from contract.errors import CtrError
from contract.settings import Settings
from ctr_platform.defs.alerts.alert import Alert
from ctr_platform.defs.alerts.notify import notify
from ctr_platform.defs.catalog import REFUSED
from ctr_platform.resources import Platform

LOOK_EVERY_S: Final = 30

SOURCE: Final = "dagster"

RECENT: Final = 20
"""So many finished runs are searched for the newest that was not refused, and so many evaluations for the
beginning of a failure: at one in five minutes, more than any wait that makes sense."""


@dg.sensor(
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Notifies, by log and webhook, of asset checks that fail (errors at once, warnings that last) and of "
        "jobs whose newest run failed: when it begins, while it lasts, when it is over."
    ),
)
def notify_of_alerts(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SkipReason:
    """Compare what is red now with what people have been notified of."""
    settings = platform.settings()
    graph = context.repository_def.asset_graph if context.repository_def else None
    checks = sorted(graph.asset_check_keys) if graph else []
    jobs = context.repository_def.job_names if context.repository_def else []
    pending: set[str] = set()
    alerts = [
        *_failed_checks(context.instance, checks, settings, pending),
        *_failed_jobs(context.instance, jobs, settings.dagster_ui_url),
    ]
    try:
        notifications = notify(settings, SOURCE, alerts, pending)
    except CtrError as error:
        return dg.SkipReason(f"{len(alerts)} alert(s), nobody notified: {error}")
    return dg.SkipReason(
        f"{len(alerts)} open; notified of {len(notifications.opened)} new, "
        f"{len(notifications.lasting)} lasting, {len(notifications.recovered)} recovered"
    )


def _failed_checks(
    instance: dg.DagsterInstance, keys: list[dg.AssetCheckKey], settings: Settings, pending: set[str]
) -> Iterable[Alert]:
    """Checks whose newest result is an error, or a warning that lasts; `pending` gets those under way."""
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    for key, record in records.items():
        asset = key.asset_key.to_user_string()
        name = f"check:{asset}:{key.name}"
        evaluation = record.evaluation
        if not isinstance(evaluation, dg.AssetCheckEvaluation):
            pending.add(name)
            continue
        if evaluation.passed:
            continue
        warns = evaluation.severity is not dg.AssetCheckSeverity.ERROR
        if warns and time.time() - _failing_since_s(instance, key) < settings.alert_warnings_after:
            continue
        yield Alert(
            key=name,
            title=f"{key.name} of {asset} warns" if warns else f"{key.name} of {asset} fails",
            detail=evaluation.description or "",
            url=f"{settings.dagster_ui_url.rstrip('/')}/assets/{asset}?view=checks&checkDetail={key.name}",
        )


def _failing_since_s(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> float:
    """When the check failed first of the times without a success between, seconds since the epoch."""
    since = time.time()
    for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=RECENT):
        if isinstance(record.evaluation, dg.AssetCheckEvaluation):
            if record.evaluation.passed:
                break
            since = record.create_timestamp
    return since


def _failed_jobs(instance: dg.DagsterInstance, names: Iterable[str], ui: str) -> Iterable[Alert]:
    """Jobs whose newest finished run failed; a refusal is the matter of who launched the run."""
    for name in names:
        finished = dg.RunsFilter(
            job_name=name, statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
        )
        said = (run for run in instance.get_runs(finished, limit=RECENT) if REFUSED not in run.tags)
        for run in itertools.islice(said, 1):
            if run.is_failure:
                yield Alert(
                    key=f"job:{name}",
                    title=f"the job {name} failed",
                    detail=f"run {run.run_id[:8]}",
                    url=f"{ui.rstrip('/')}/runs/{run.run_id}",
                )
