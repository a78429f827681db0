"""The topics: made as the contract says, and the streams that flow through them."""

from typing import Final

import dagster as dg

from ctr_platform.defs.platform import (
    ERROR_EVENTS,
    EVENT_SCHEMA,
    EVENTS,
    FATES,
    FLINK_JOB,
    FOUNDATION,
    OWNERS,
    RAW_EVENTS,
    TOPICS,
    WINDOWS,
    WINDOWS_FEED,
    Platform,
)
from ctr_platform.kafka.topics import ensure_topics
from ctr_platform.settings import ERROR_TOPIC, RAW_TOPIC, WINDOWS_TOPIC


@dg.asset(
    key=TOPICS,
    group_name=FOUNDATION,
    kinds={"kafka"},
    owners=OWNERS,
    description="The platform's three topics exist and are configured as the contract says.",
)
def topics(platform: Platform) -> dg.MaterializeResult[None]:
    """Create what is missing and correct what has drifted; a second time changes nothing."""
    states = ensure_topics(platform.settings())
    table = dg.TableMetadataValue(
        records=[
            dg.TableRecord(
                {
                    "topic": state.name,
                    "created": state.created,
                    "partitions": state.partitions,
                    "corrected": ", ".join(drift.name for drift in state.corrected) or "-",
                }
            )
            for state in states
        ],
        schema=dg.TableSchema(
            [
                dg.TableColumn("topic", "string"),
                dg.TableColumn("created", "bool"),
                dg.TableColumn("partitions", "int"),
                dg.TableColumn("corrected", "string"),
            ]
        ),
    )
    return dg.MaterializeResult(
        metadata={
            "topics": table,
            "created": sum(state.created for state in states),
            "corrected": sum(len(state.corrected) for state in states),
        }
    )


@dg.asset_check(
    asset=TOPICS, description="No topic was made with another number of partitions than the settings ask for."
)
def partitions_as_wanted(platform: Platform) -> dg.AssetCheckResult:
    """Partitions are never added to a topic in use, so a difference stays until someone decides."""
    states = ensure_topics(platform.settings())
    return dg.AssetCheckResult(
        passed=all(state.partitions == state.wanted_partitions for state in states),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={state.name: f"{state.partitions} of {state.wanted_partitions}" for state in states},
    )


def _stream(
    key: dg.AssetKey, topic: str, deps: list[dg.AssetKey], group: str, description: str
) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=deps,
        group_name=group,
        kinds={"kafka"},
        owners=OWNERS,
        description=description,
        metadata={"topic": topic},
    )


RAW_STREAM: Final = _stream(
    RAW_EVENTS,
    RAW_TOPIC,
    [TOPICS, EVENT_SCHEMA],
    EVENTS,
    "Ad events as producers send them: Avro in Confluent wire format, one record per impression.",
)
ERROR_STREAM: Final = _stream(
    ERROR_EVENTS,
    ERROR_TOPIC,
    [FLINK_JOB],
    FATES,
    "Dead letter queue: late and dead records, unchanged, with the reason and their coordinates.",
)
WINDOWS_STREAM: Final = _stream(
    WINDOWS_FEED,
    WINDOWS_TOPIC,
    [FLINK_JOB],
    WINDOWS,
    "Every final window as a JSON document, compacted by window: the feed for other systems.",
)
