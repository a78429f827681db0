"""The warehouse: migrated here, filled by the Flink job."""

import hashlib
import json
from datetime import timedelta
from typing import Any, Final

import dagster as dg

from contract.errors import WarehouseUnavailable
from contract.settings import Settings, load_settings
from contract.stream.changes import StreamChange
from contract.stream.load import DeclaredStream
from ctr_platform.defs.catalog import (
    ACCOUNTING,
    BY_DAGSTER,
    BY_JOB,
    BY_VIEW,
    COUNTS_1MIN,
    COUNTS_5MIN,
    FLINK_JOB,
    INFRASTRUCTURE,
    LEDGER,
    METRICS_1MIN,
    METRICS_5MIN,
    MIGRATIONS,
    OWNERS,
    SERVING,
)
from ctr_platform.defs.kept_current import kept_current
from ctr_platform.defs.table_metadata import stream_table_metadata, table_metadata
from ctr_platform.resources import Platform
from warehouse.dimension_names import keep_names
from warehouse.migrate import migrate, missing_columns, newest_revision
from warehouse.roles import ensure_reader
from warehouse.stream_tables import StreamTables

FRESH_1MIN: Final = dg.FreshnessPolicy.time_window(
    # A window closes 10 s after its end, so a new one comes every minute.
    warn_window=timedelta(minutes=3),
    fail_window=timedelta(minutes=10),
)
FRESH_5MIN: Final = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(minutes=11), fail_window=timedelta(minutes=30)
)


TABLES_CHECK: Final = dg.AssetCheckSpec(
    "tables_as_modelled",
    asset=MIGRATIONS,
    blocking=True,
    description="The warehouse has every table and column that job and readers name; else no job starts.",
)

STREAM_CHECK: Final = dg.AssetCheckSpec(
    "stream_as_declared",
    asset=MIGRATIONS,
    # The job goes on by the declaration that holds.
    blocking=False,
    description="The stream is counted as `CTR_STREAM` declares it; a change of what is counted waits for "
    "the job `cut_over_code`.",
)

READER_CHECK: Final = dg.AssetCheckSpec(
    "reader_may_read",
    asset=MIGRATIONS,
    # The job does without the dashboard.
    blocking=False,
    description="The login of the dashboard, POSTGRES_READER_USER, reads every table and view, and no more.",
)


@dg.asset(
    key=MIGRATIONS,
    check_specs=[TABLES_CHECK, STREAM_CHECK, READER_CHECK],
    group_name=INFRASTRUCTURE,
    kinds={"postgres"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    description="The warehouse's tables and views are at the newest revision.",
)
# Beside a check's result Dagster reads no parameter of the type.
def migrations(platform: Platform) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Apply the missing migrations, the declared stream and its files of names; again it changes nothing."""
    settings = platform.settings()
    url = settings.postgres_url
    stream = settings.declared_stream()
    result = migrate(url, stream)
    changed_names = keep_names(url, stream.names)
    # What a cutover has still to bring is not missed by the job that runs.
    waiting = result.to_revision != newest_revision()
    missing = [] if waiting else missing_columns(url)
    return dg.MaterializeResult(
        metadata={
            "from_revision": result.from_revision or "empty",
            "to_revision": result.to_revision,
            "waiting_for_hand_over": waiting,
            "changed_names": changed_names,
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=TABLES_CHECK.name,
                passed=not missing,
                description=f"missing: {', '.join(missing)}" if missing else "none is missing",
                metadata={"missing": len(missing)},
            ),
            _as_declared(result.waiting),
            _reader(settings),
        ],
    )


def _as_declared(waiting: StreamChange) -> dg.AssetCheckResult:
    """Say what is declared and not yet counted so."""
    refused = "".join(
        f"; {each}: that is another stream, for a database of its own" for each in waiting.refused
    )
    return dg.AssetCheckResult(
        check_name=STREAM_CHECK.name,
        passed=waiting.nothing,
        severity=dg.AssetCheckSeverity.WARN,
        description="it is"
        if waiting.nothing
        else f"not yet: {'; '.join(waiting.counting)}{refused}; see `ctr stream plan`",
    )


def _reader(settings: Settings) -> dg.AssetCheckResult:
    """See to the dashboard's login, and say how that went."""
    user, problem = settings.postgres_reader_user, ""
    if user:
        try:
            ensure_reader(settings.postgres_url, user, settings.postgres_reader_password.get_secret_value())
        except WarehouseUnavailable as refused:
            problem = str(refused)
    return dg.AssetCheckResult(
        check_name=READER_CHECK.name,
        passed=not problem,
        description=problem or (f"{user} reads" if user else "the dashboard uses POSTGRES_USER"),
    )


def _table(
    key: dg.AssetKey,
    metadata: dict[str, Any],
    dep: dg.AssetKey,
    description: str,
    fresh: dg.FreshnessPolicy | None = None,
) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=[dep],
        group_name=ACCOUNTING if key == LEDGER else SERVING,
        kinds={"postgres"},
        owners=OWNERS,
        tags=BY_JOB if dep == FLINK_JOB else BY_VIEW,
        description=description,
        metadata=metadata,
        freshness_policy=fresh,
    )


def _tables(stream: DeclaredStream) -> list[dg.AssetSpec]:
    """What job and views show, with the columns that the stream declares."""
    tables = StreamTables.of(stream)
    by = " and ".join(each.title.lower() for each in tables.columns)
    return [
        *(
            _table(
                key,
                stream_table_metadata(tables, f"realtime.counts_{window_type}"),
                FLINK_JOB,
                f"Impressions and clicks per final {minutes} minute window and segment, upserted by the job "
                "alone.",
                fresh,
            )
            for key, window_type, minutes, fresh in (
                (COUNTS_1MIN, "1min", 1, FRESH_1MIN),
                (COUNTS_5MIN, "5min", 5, FRESH_5MIN),
            )
        ),
        _table(
            LEDGER,
            table_metadata("quality.ledger"),
            FLINK_JOB,
            "Per checkpoint and partition: records read = counted + late + dead.",
        ),
        *(
            _table(
                key,
                stream_table_metadata(tables, f"realtime.metrics_{window_type}"),
                counts,
                f"One row per {minutes} minute window: totals, CTR, CTR by {by}; late events merged in.",
            )
            for key, window_type, minutes, counts in (
                (METRICS_1MIN, "1min", 1, COUNTS_1MIN),
                (METRICS_5MIN, "5min", 5, COUNTS_5MIN),
            )
        ),
    ]


@dg.definitions
def defs() -> dg.Definitions:
    """Define the warehouse; its version: the newest migration, the declared stream, its names."""
    stream = load_settings().declared_stream()
    names = json.dumps(stream.names, sort_keys=True)
    declared = hashlib.sha256(f"{stream.text}{stream.event_schema}{names}".encode()).hexdigest()[:8]
    version = f"{newest_revision()}-{declared}"
    return dg.Definitions(assets=[kept_current(migrations, version), *_tables(stream)])
