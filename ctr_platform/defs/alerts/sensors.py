"""Notifies people of checks that fail, runs that failed and assets that are stale, until they recover."""

from datetime import timedelta
from typing import Final

import dagster as dg

from contract.errors import CtrError
from ctr_platform.defs.alerts.dagster_pages import DagsterPages
from ctr_platform.defs.alerts.failed_checks import failed_checks
from ctr_platform.defs.alerts.failed_runs import failed_runs
from ctr_platform.defs.alerts.notify import notify
from ctr_platform.defs.alerts.stale_assets import stale_assets
from ctr_platform.resources import Platform

LOOK_EVERY_S: Final = 30

SOURCE: Final = "dagster"


@dg.sensor(
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Notifies, by log and webhook, of asset checks that fail (errors at once, warnings that last), of "
        "jobs whose newest run failed, of assets that could not be materialized and of those that are stale: "
        "when it begins, while it lasts, when it is over."
    ),
)
def notify_of_alerts(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SkipReason:
    """Compare what is red now with what people have been notified of."""
    settings = platform.settings()
    repository = context.repository_def
    if repository is None:
        return dg.SkipReason("Dagster has handed no definitions over: nothing is known now")
    pages = DagsterPages(settings.dagster_ui_url)
    checks = sorted(repository.asset_graph.asset_check_keys)
    pending: set[str] = set()
    alerts = [
        *failed_checks(context.instance, checks, settings, pages, pending),
        *failed_runs(context.instance, repository.job_names, pages),
        *stale_assets(context.instance, allowed_ages(repository), pages),
    ]
    try:
        notifications = notify(settings, SOURCE, alerts, pending)
    except CtrError as error:
        return dg.SkipReason(f"{len(alerts)} alert(s), nobody notified: {error}")
    return dg.SkipReason(
        f"{len(alerts)} open; notified of {len(notifications.opened)} new, "
        f"{len(notifications.lasting)} lasting, {len(notifications.recovered)} recovered"
    )


def allowed_ages(repository: dg.RepositoryDefinition) -> dict[dg.AssetKey, timedelta]:
    """Assets that declare a freshness policy, with the age at which it fails."""
    graph = repository.asset_graph
    # Dagster has policies by cron too; the platform has none, and their class is not public either.
    policies = {key: graph.get(key).freshness_policy for key in sorted(graph.get_all_asset_keys())}
    windows = {key: getattr(policy, "fail_window", None) for key, policy in policies.items()}
    return {key: window.to_timedelta() for key, window in windows.items() if window is not None}
