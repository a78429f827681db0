"""What the definitions share: the group names, the owners and the asset keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import dagster as dg

OWNERS: Final = ("team:ad-platform",)

PRODUCED_BY: Final = "ctr/produced-by"
"""Tag of every asset: whose work its content is. Dagster runs the platform, it is not in the data's path."""

BY_DAGSTER: Final = {PRODUCED_BY: "dagster"}
BY_PRODUCERS: Final = {PRODUCED_BY: "producers"}
BY_JOB: Final = {PRODUCED_BY: "flink-job"}
BY_VIEW: Final = {PRODUCED_BY: "view"}
WEB_PAGE: Final = {PRODUCED_BY: "web-page"}

# The groups follow the stream, so that the graph of groups reads from left to right.
INFRASTRUCTURE: Final = "infrastructure"
INGEST: Final = "ingest"
PROCESSING: Final = "processing"
SERVING: Final = "serving"
ACCOUNTING: Final = "accounting"
QUALITY: Final = "quality"

TOPICS: Final = dg.AssetKey(["kafka", "topics"])
RAW_EVENTS: Final = dg.AssetKey(["kafka", "ad_events_raw"])
ERROR_EVENTS: Final = dg.AssetKey(["kafka", "ad_events_error"])
REPLAYS: Final = dg.AssetKey(["kafka", "ad_events_replays"])
WINDOWS_FEED: Final = dg.AssetKey(["kafka", "ctr_windows"])
EVENT_SCHEMA: Final = dg.AssetKey(["registry", "ad_event_schema"])
MIGRATIONS: Final = dg.AssetKey(["postgres", "migrations"])
FLINK_JOB: Final = dg.AssetKey(["flink", "ctr_windows"])
FLINK_UI: Final = dg.AssetKey(["flink", "web_ui"])
COUNTS_1MIN: Final = dg.AssetKey(["postgres", "counts_1min"])
COUNTS_5MIN: Final = dg.AssetKey(["postgres", "counts_5min"])
METRICS_1MIN: Final = dg.AssetKey(["postgres", "metrics_1min"])
METRICS_5MIN: Final = dg.AssetKey(["postgres", "metrics_5min"])
LEDGER: Final = dg.AssetKey(["postgres", "ledger"])
WINDOW_ACCURACY: Final = dg.AssetKey(["quality", "window_accuracy"])
QUALITY_REPORT: Final = dg.AssetKey(["quality", "report"])
QUALITY_PAGES: Final = dg.AssetKey(["quality", "data_docs"])
LATE_EVENTS: Final = dg.AssetKey(["postgres", "late_events"])
REPAIRED_WINDOWS: Final = dg.AssetKey(["postgres", "repaired_windows"])
CACHE_1MIN: Final = dg.AssetKey(["redis", "metrics_1min"])
CACHE_5MIN: Final = dg.AssetKey(["redis", "metrics_5min"])
DASHBOARD: Final = dg.AssetKey(["streamlit", "dashboard"])

MAX_RUNTIME: Final = "dagster/max_runtime"
"""Dagster's tag for the seconds after which run monitoring ends a run."""

OPERATES: Final = "ctr/operates"
"""Tag of every run that ends or starts the Flink job: the supervisor waits for its end."""

REFUSED: Final = "ctr/refused"
"""Tag of a run that changed nothing because what was asked cannot be done: the reason."""

LONGEST_TAG: Final = 250
"""A run's tag is cut here: Dagster shows it in a line."""

CLUSTER_POOL: Final = "flink_cluster"
"""Operations on the cluster take turns: `dagster.yaml` gives a pool one slot."""

BACKFILL_POOL: Final = "backfill"
"""One backfill at a time. Not the cluster's pool: a job that is lost meanwhile need not wait for its end."""

MERGE_POOL: Final = "late_merge"
"""Documents are published by one run at a time, so that the last is the newest."""

REPLAY_POOL: Final = "replay"
"""Kafka shuts out all replays but one; with turns none is cut off."""

RECOUNT_POOL: Final = "recount"
"""Only one recount may write its progress."""

QUALITY_POOL: Final = "quality"
"""Two reports at once would write one folder."""


def web_page(  # noqa: PLR0913 - what its page in Dagster shows
    key: dg.AssetKey, deps: Sequence[dg.AssetKey], *, group: str, kind: str, url: str, description: str
) -> dg.AssetSpec:
    """Describe pages that people look at, as the end of a lineage."""
    return dg.AssetSpec(
        key,
        deps=deps,
        group_name=group,
        kinds={kind},
        owners=OWNERS,
        tags=WEB_PAGE,
        description=description,
        metadata={"url": dg.MetadataValue.url(url)},
    )


def skip_while_running(context: dg.ScheduleEvaluationContext, job_name: str) -> dg.SkipReason | None:
    """Why a schedule must not ask for another run now: the newest is not over. None: it may."""
    newest = context.instance.get_run_records(dg.RunsFilter(job_name=job_name), limit=1)
    if newest and not newest[0].dagster_run.is_finished:
        return dg.SkipReason(f"run {newest[0].dagster_run.run_id[:8]} is in progress")
    return None


def table_of(rows: Sequence[Mapping[str, object]]) -> dg.TableMetadataValue:
    """Rows of the same columns, at least one, as a table that the UI shows."""
    return dg.TableMetadataValue(
        records=[dg.TableRecord({name: str(value) for name, value in row.items()}) for row in rows],
        schema=dg.TableSchema([dg.TableColumn(name) for name in rows[0]]),
    )
