"""The topics: made as the contract says, and the streams that flow through them."""

import json
from collections.abc import Mapping
from typing import Final

import dagster as dg

from contract.names import ERROR_TOPIC, RAW_TOPIC, REPLAYS_TOPIC, WINDOWS_TOPIC
from ctr_platform.defs.catalog import (
    ACCOUNTING,
    BY_DAGSTER,
    BY_JOB,
    BY_PRODUCERS,
    ERROR_EVENTS,
    EVENT_SCHEMA,
    FLINK_JOB,
    INFRASTRUCTURE,
    INGEST,
    OWNERS,
    RAW_EVENTS,
    REPLAYS,
    SERVING,
    TOPICS,
    WINDOWS_FEED,
)
from ctr_platform.defs.kafka.topics import TOPIC_CONFIGS, ConfigDrift, TopicState
from ctr_platform.defs.kept_current import kept_current
from ctr_platform.resources import Kafka

CONFIG_CHECK: Final = dg.AssetCheckSpec(
    "config_as_specified",
    asset=TOPICS,
    description="No topic's configuration had drifted from the contract. What had is corrected by now.",
)


@dg.asset(
    key=TOPICS,
    group_name=INFRASTRUCTURE,
    kinds={"kafka"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    check_specs=[CONFIG_CHECK],
    description="The platform's topics exist and are configured as the contract says.",
)
# Beside a check's result Dagster reads no parameter of the type.
def topics(kafka: Kafka) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Create what is missing and correct what has drifted; a second time changes nothing."""
    states = kafka.ensure_topics()
    return dg.MaterializeResult(
        metadata={
            "topics": _table(states),
            "created": sum(state.created for state in states),
            "corrected": sum(len(state.corrected) for state in states),
        },
        check_results=[_config_check(states)],
    )


def _table(states: list[TopicState]) -> dg.TableMetadataValue:
    columns = ("topic", "string"), ("created", "bool"), ("partitions", "int"), ("corrected", "string")
    return dg.TableMetadataValue(
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
        schema=dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns]),
    )


def _config_check(states: list[TopicState]) -> dg.AssetCheckResult:
    drifts = {state.name: state.corrected for state in states}
    return dg.AssetCheckResult(
        check_name=CONFIG_CHECK.name,
        passed=not any(drifts.values()),
        description=drift_message(drifts),
    )


def drift_message(drifts: Mapping[str, tuple[ConfigDrift, ...]]) -> str:
    """What had drifted, and has been corrected; empty: nothing."""
    found = [
        f"{drift.name} of {topic} was {drift.found}, not {drift.wanted}"
        for topic, of_topic in drifts.items()
        for drift in of_topic
    ]
    return f"put back: {'; '.join(found)}" if found else ""


@dg.asset_check(asset=TOPICS, description="Every topic has as many partitions as the settings ask for.")
def partitions_as_wanted(kafka: Kafka) -> dg.AssetCheckResult:
    """Partitions are never added to a topic in use, so a difference stays until someone decides."""
    settings = kafka.settings()
    partitions = {topic.name: len(topic.partitions) for topic in kafka.describe_topics()}
    return dg.AssetCheckResult(
        passed=all(number == settings.kafka_partitions for number in partitions.values()),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={name: f"{number} of {settings.kafka_partitions}" for name, number in partitions.items()},
    )


RAW_STREAM: Final = dg.AssetSpec(
    RAW_EVENTS,
    deps=[TOPICS, EVENT_SCHEMA],
    group_name=INGEST,
    kinds={"kafka"},
    owners=OWNERS,
    tags=BY_PRODUCERS,
    description="Ad events as producers send them: Avro in Confluent wire format, one record per impression.",
    metadata={"topic": RAW_TOPIC},
)


def _written_by_job(key: dg.AssetKey, topic: str, group: str, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=[FLINK_JOB],
        group_name=group,
        kinds={"kafka"},
        owners=OWNERS,
        tags=BY_JOB,
        description=description,
        metadata={"topic": topic},
    )


ERROR_STREAM: Final = _written_by_job(
    ERROR_EVENTS,
    ERROR_TOPIC,
    ACCOUNTING,
    "Dead letter queue: late and dead records, unchanged, with the reason and their coordinates.",
)
REPLAYS_STREAM: Final = dg.AssetSpec(
    REPLAYS,
    deps=[TOPICS],
    group_name=ACCOUNTING,
    kinds={"kafka"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    description="Which dead records `replay_dead_letters` has put into the raw topic again, each once.",
    metadata={"topic": REPLAYS_TOPIC},
)
WINDOWS_STREAM: Final = _written_by_job(
    WINDOWS_FEED,
    WINDOWS_TOPIC,
    SERVING,
    "Every final window as a JSON document, compacted by window: the feed for other systems.",
)


@dg.definitions
def defs() -> dg.Definitions:
    """Define the topics, whose version is that of their configurations, and what flows through them."""
    return dg.Definitions(
        assets=[
            kept_current(topics, json.dumps(TOPIC_CONFIGS, sort_keys=True)),
            *(RAW_STREAM, ERROR_STREAM, REPLAYS_STREAM, WINDOWS_STREAM),
        ],
        asset_checks=[partitions_as_wanted],
    )
