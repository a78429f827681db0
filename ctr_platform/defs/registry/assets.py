"""The registered schema of the ad event."""

import dagster as dg

from ctr_platform.defs.catalog import BY_DAGSTER, EVENT_SCHEMA, INFRASTRUCTURE, OWNERS
from ctr_platform.defs.kept_current import kept_current
from ctr_platform.resources import Registry
from ctr_platform.settings_in_use import settings_in_use


@dg.asset(
    key=EVENT_SCHEMA,
    group_name=INFRASTRUCTURE,
    kinds={"avro"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    description="The stream's event schema is registered for the raw topic, and compatible for ever.",
)
def ad_event_schema(registry: Registry) -> dg.MaterializeResult[None]:
    """Register the schema file and the compatibility rule; a second time changes nothing."""
    schema = registry.ensure_subject()
    return dg.MaterializeResult(
        metadata={
            "subject": schema.subject,
            "schema_id": schema.id,
            "version": schema.version,
            "compatibility": schema.compatibility,
        }
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Define the schema; its version is that of its file."""
    schema = settings_in_use().declared_stream().event_schema
    return dg.Definitions(assets=[kept_current(ad_event_schema, schema)])
