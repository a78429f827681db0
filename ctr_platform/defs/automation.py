"""What Dagster does by itself when new code is deployed: topics, schema and tables follow it."""

import hashlib
import json
from typing import Final

import dagster as dg

from ctr_platform.defs.kafka.assets import topics
from ctr_platform.defs.platform import EVENT_SCHEMA, MIGRATIONS, TOPICS
from ctr_platform.defs.registry.assets import ad_event_schema
from ctr_platform.defs.warehouse.assets import migrations
from ctr_platform.kafka.topics import TOPIC_CONFIGS
from ctr_platform.registry.subject import event_schema_json
from warehouse.migrate import newest_revision

WHEN_CODE_CHANGES: Final = (
    dg.AutomationCondition.code_version_changed() & ~dg.AutomationCondition.in_progress()
).with_label("the code that makes it has changed")

apply_new_code: Final = dg.AutomationConditionSensorDefinition(
    name="apply_new_code",
    target=dg.AssetSelection.assets(TOPICS, EVENT_SCHEMA, MIGRATIONS),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Materializes topics, schema and migrations when a deployment has changed what makes them.",
)


def foundation() -> list[dg.AssetsDefinition]:
    """The assets below the job, each with the version of what makes it; reads files."""
    return [
        _kept_current(topics, json.dumps(TOPIC_CONFIGS, sort_keys=True)),
        _kept_current(ad_event_schema, event_schema_json()),
        _kept_current(migrations, newest_revision()),
    ]


def _kept_current(asset: dg.AssetsDefinition, made_of: str) -> dg.AssetsDefinition:
    version = hashlib.sha256(made_of.encode()).hexdigest()[:12]
    return asset.map_asset_specs(
        lambda spec: spec.replace_attributes(code_version=version, automation_condition=WHEN_CODE_CHANGES)
    )
