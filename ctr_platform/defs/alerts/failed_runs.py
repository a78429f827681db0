"""Runs that failed and that nothing has made up for since.

A run of one of the platform's jobs is named by the job. Dagster's own job, by which it materializes assets
that a person has picked, is named by those assets: its name says nothing to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import dagster as dg

from ctr_platform.defs.alerts.alert import Alert
from ctr_platform.defs.catalog import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ctr_platform.defs.alerts.dagster_pages import DagsterPages

INTERNAL_PREFIX: Final = "__"
"""Begins the names of Dagster's own jobs."""

RECENT: Final = 20
"""So many finished runs of a job are searched for the newest that was not refused, and so many runs of
Dagster's own job for assets that still lack what they should have given."""

LOOKED_BACK: Final = timedelta(days=7)
"""Of Dagster's own job, older runs are nobody's business any more: who wanted these assets has been notified
every `ALERT_REPEAT` since."""

PARTITION_TAGS: Final = (
    "dagster/partition",
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
)
"""Dagster's tags of a run of one partition, or of the first and the last of several."""


def failed_runs(
    instance: dg.DagsterInstance, job_names: Iterable[str], pages: DagsterPages
) -> Iterator[Alert]:
    """Alerts of jobs whose newest finished run failed, and of assets that could not be materialized."""
    for name in job_names:
        if name.startswith(INTERNAL_PREFIX):
            yield from _failed_materializations(instance, name, pages)
        else:
            yield from _failed_job(instance, name, pages)


def _failed_job(instance: dg.DagsterInstance, name: str, pages: DagsterPages) -> Iterator[Alert]:
    """The job, if its newest finished run failed; a refusal is the matter of who launched the run."""
    finished = dg.RunsFilter(
        job_name=name, statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    )
    records = instance.get_run_records(finished, limit=RECENT)
    newest = next((each for each in records if REFUSED not in each.dagster_run.tags), None)
    if newest is None or not newest.dagster_run.is_failure:
        return
    lacking = _lacking(instance, newest)
    if lacking is None or lacking.names:
        yield Alert(
            key=f"job:{name}",
            title=f"the job {name} failed",
            detail=_what_happened(instance, newest),
            url=pages.run(newest.dagster_run.run_id),
            mend_url=pages.launchpad(name),
            runbook=name,
            since=_ended_at(newest),
        )


def _failed_materializations(instance: dg.DagsterInstance, name: str, pages: DagsterPages) -> Iterator[Alert]:
    """Assets, or checks, that a person has picked, and that have not succeeded since."""
    failed = dg.RunsFilter(
        job_name=name,
        statuses=[dg.DagsterRunStatus.FAILURE],
        created_after=datetime.now(tz=UTC) - LOOKED_BACK,
    )
    seen = set()
    for record in instance.get_run_records(failed, limit=RECENT):
        run = record.dagster_run
        lacking = None if REFUSED in run.tags else _lacking(instance, record)
        if lacking is None or not lacking.names or lacking.what in seen:
            continue
        seen.add(lacking.what)
        yield Alert(
            key=f"run:{lacking.what}",
            title=f"{lacking.kind} of {lacking.what} failed",
            detail=_what_happened(instance, record),
            url=pages.run(run.run_id),
            mend_url=pages.asset(lacking.asset),
            runbook="alert_materialization_failed",
            since=_ended_at(record),
        )


@dataclass(frozen=True, kw_only=True)
class _Lacking:
    """What a failed run should have given, and nobody has since."""

    kind: str
    names: list[str]
    asset: dg.AssetKey
    """One of them, or whose check it is."""

    partitions: str

    @property
    def what(self) -> str:
        return ", ".join(self.names) + self.partitions


def _lacking(instance: dg.DagsterInstance, record: dg.RunRecord) -> _Lacking | None:
    """Find what has not succeeded since a failed run; None: it was about no asset."""
    run = record.dagster_run
    ended_s = _ended_at(record).timestamp()
    events = [
        each.event_log_entry.dagster_event
        for each in instance.get_records_for_run(run.run_id, of_type=set(_TYPES)).records
    ]
    planned, done, checks = (
        [each for each in events if each is not None and each.event_type is kind] for kind in _TYPES
    )
    made = {each.asset_key for each in done}
    keys = list(dict.fromkeys(each.asset_key for each in planned if each.asset_key))
    # Where all was made, and a check of it failed to run, all of it is to be made again.
    wanted = [key for key in keys if key not in made] or keys
    tags = [run.tags[name] for name in PARTITION_TAGS if name in run.tags]
    partitions = list(dict.fromkeys(tags))
    if wanted:
        lacking = [key for key in wanted if not _made_since(instance, key, partitions, ended_s)]
        return _Lacking(
            kind="materialization",
            names=sorted(key.to_user_string() for key in lacking),
            asset=(lacking or wanted)[0],
            partitions=f" [{'...'.join(partitions)}]" if partitions else "",
        )
    if not checks:
        return None
    picked = {each.asset_check_planned_data.asset_check_key for each in checks}
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(sorted(picked))
    still = [
        key
        for key in sorted(picked)
        if key not in newest or newest[key].create_timestamp <= ended_s or newest[key].evaluation is None
    ]
    return _Lacking(
        kind="evaluation",
        names=[f"{key.name} of {key.asset_key.to_user_string()}" for key in still],
        asset=(still or sorted(picked))[0].asset_key,
        partitions="",
    )


_TYPES: Final = (
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
)


def _made_since(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: list[str], since_s: float
) -> bool:
    """Whether an asset has been materialized since, by whatever job or sensor; all of these partitions."""
    return all(
        instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=key, asset_partitions=[each] if each else None, after_timestamp=since_s
            ),
            limit=1,
        ).records
        for each in partitions or [""]
    )


def _what_happened(instance: dg.DagsterInstance, record: dg.RunRecord) -> str:
    """Name the run and the error of its first step that failed."""
    run = record.dagster_run
    failures = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1
    ).records
    named = f"run {run.run_id[:8]}"
    for each in failures:
        event = each.event_log_entry.dagster_event
        error = event.step_failure_data.error if event else None
        if error is not None:
            return f"{named}: {(error.cause or error).message.strip()}"
    return named


def _ended_at(record: dg.RunRecord) -> datetime:
    return datetime.fromtimestamp(record.end_time, tz=UTC) if record.end_time else record.create_timestamp
