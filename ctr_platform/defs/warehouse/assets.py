"""The warehouse: migrated here, filled by the Flink job."""

from datetime import timedelta
from typing import Final

import dagster as dg

from contract.errors import WarehouseUnavailable
from contract.settings import Settings
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
from ctr_platform.defs.table_metadata import table_metadata
from ctr_platform.resources import Platform
from warehouse.migrate import migrate, missing_columns, newest_revision
from warehouse.roles import ensure_reader

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

READER_CHECK: Final = dg.AssetCheckSpec(
    "reader_may_read",
    asset=MIGRATIONS,
    # The job does without the dashboard.
    blocking=False,
    description="The login of the dashboard, POSTGRES_READER_USER, reads every table and view, and no more.",
)


@dg.asset(
    key=MIGRATIONS,
    check_specs=[TABLES_CHECK, READER_CHECK],
    group_name=INFRASTRUCTURE,
    kinds={"postgres"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    description="The warehouse's tables and views are at the newest revision.",
)
# Beside a check's result Dagster reads no parameter of the type.
def migrations(platform: Platform) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Apply the migrations that are missing, all or none; a second time changes nothing."""
    settings = platform.settings()
    url = settings.postgres_url
    result = migrate(url)
    # What a cutover has still to bring is not missed by the job that runs.
    waiting = result.to_revision != newest_revision()
    missing = [] if waiting else missing_columns(url)
    return dg.MaterializeResult(
        metadata={
            "from_revision": result.from_revision or "empty",
            "to_revision": result.to_revision,
            "waiting_for_hand_over": waiting,
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=TABLES_CHECK.name,
                passed=not missing,
                description=f"missing: {', '.join(missing)}" if missing else "none is missing",
                metadata={"missing": len(missing)},
            ),
            _reader(settings),
        ],
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
    key: dg.AssetKey, name: str, dep: dg.AssetKey, description: str, fresh: dg.FreshnessPolicy | None = None
) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=[dep],
        group_name=ACCOUNTING if key == LEDGER else SERVING,
        kinds={"postgres"},
        owners=OWNERS,
        tags=BY_JOB if dep == FLINK_JOB else BY_VIEW,
        description=description,
        metadata=table_metadata(name),
        freshness_policy=fresh,
    )


TABLES: Final = [
    _table(
        COUNTS_1MIN,
        "realtime.counts_1min",
        FLINK_JOB,
        "Impressions and clicks per final 1 minute window and segment, upserted by the job alone.",
        FRESH_1MIN,
    ),
    _table(
        COUNTS_5MIN,
        "realtime.counts_5min",
        FLINK_JOB,
        "Impressions and clicks per final 5 minute window and segment, upserted by the job alone.",
        FRESH_5MIN,
    ),
    _table(
        LEDGER,
        "quality.ledger",
        FLINK_JOB,
        "Per checkpoint and partition: records read = counted + late + dead.",
    ),
    _table(
        METRICS_1MIN,
        "realtime.metrics_1min",
        COUNTS_1MIN,
        "One row per 1 minute window: totals, CTR, CTR by category and device; late events merged in.",
    ),
    _table(
        METRICS_5MIN,
        "realtime.metrics_5min",
        COUNTS_5MIN,
        "One row per 5 minute window: totals, CTR, CTR by category and device; late events merged in.",
    ),
]


@dg.definitions
def defs() -> dg.Definitions:
    """Define the warehouse; its version is that of the newest migration."""
    return dg.Definitions(assets=[kept_current(migrations, newest_revision()), *TABLES])
