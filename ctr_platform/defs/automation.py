"""What Dagster does by itself when new code is deployed: topics, schema and tables follow it."""

from typing import Final

import dagster as dg

from ctr_platform.defs.catalog import EVENT_SCHEMA, MIGRATIONS, TOPICS

apply_new_code: Final = dg.AutomationConditionSensorDefinition(
    name="apply_new_code",
    target=dg.AssetSelection.assets(TOPICS, EVENT_SCHEMA, MIGRATIONS),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Materializes topics, schema and migrations when a deployment has changed what makes them.",
)
