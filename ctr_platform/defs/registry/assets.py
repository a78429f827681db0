"""The registered schema of the ad event."""

import dagster as dg

from ctr_platform.defs.platform import BY_DAGSTER, EVENT_SCHEMA, FOUNDATION, OWNERS, Platform
from ctr_platform.registry.subject import ensure_subject


@dg.asset(
    key=EVENT_SCHEMA,
    group_name=FOUNDATION,
    kinds={"avro"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    description="flink/schema/ad_event.avsc is registered for the raw topic, and compatible for ever.",
)
def ad_event_schema(platform: Platform) -> dg.MaterializeResult[None]:
    """Register the schema file and the compatibility rule; a second time changes nothing."""
    schema = ensure_subject(platform.settings())
    return dg.MaterializeResult(
        metadata={
            "subject": schema.subject,
            "schema_id": schema.id,
            "version": schema.version,
            "compatibility": schema.compatibility,
        }
    )
