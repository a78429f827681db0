"""Asset checks that are an alert: errors at once, warnings that last."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import dagster as dg

from ctr_platform.defs.alerts.alert import Alert
from ctr_platform.defs.alerts.mending import JOB_THAT_MENDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contract.settings import Settings
    from ctr_platform.defs.alerts.dagster_pages import DagsterPages

RECENT: Final = 20
"""So many evaluations are searched for the beginning of a failure: at one in five minutes, more than any wait
that makes sense."""

_PLAIN: Final = (
    dg.BoolMetadataValue,
    dg.FloatMetadataValue,
    dg.IntMetadataValue,
    dg.JsonMetadataValue,
    dg.TextMetadataValue,
)
"""Metadata that says something in a line."""


def failed_checks(
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetCheckKey],
    settings: Settings,
    pages: DagsterPages,
    pending: set[str],
) -> Iterator[Alert]:
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
        since_s = _failing_since_s(instance, key)
        if warns and time.time() - since_s < settings.alert_warnings_after:
            continue
        job = JOB_THAT_MENDS.get(key.name)
        yield Alert(
            key=name,
            title=f"{key.name} of {asset} warns" if warns else f"{key.name} of {asset} fails",
            detail=evaluation.description or figures(evaluation.metadata),
            url=pages.check(key),
            mend_url=pages.launchpad(job) if job else "",
            runbook=key.name,
            since=datetime.fromtimestamp(since_s, tz=UTC),
        )


def figures(metadata: Mapping[str, dg.MetadataValue]) -> str:
    """What a result without a description says of itself: its figures, and the first row of its tables."""
    parts = [f"{name}: {each.value}" for name, each in metadata.items() if isinstance(each, _PLAIN)]
    for name, each in metadata.items():
        if isinstance(each, dg.TableMetadataValue) and each.records:
            first = ", ".join(f"{column} {value}" for column, value in each.records[0].data.items())
            parts.append(f"{name}: {first}" + (" ..." if len(each.records) > 1 else ""))
    return "; ".join(parts)


def _failing_since_s(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> float:
    """When the check failed first of the times without a success between, seconds since the epoch."""
    since = time.time()
    for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=RECENT):
        if isinstance(record.evaluation, dg.AssetCheckEvaluation):
            if record.evaluation.passed:
                break
            since = record.create_timestamp
    return since
