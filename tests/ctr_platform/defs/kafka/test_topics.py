"""The topics are made and kept as the contract says, on a real broker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from contract.names import ERROR_TOPIC, RAW_TOPIC, REPLAYS_TOPIC, WINDOWS_TOPIC
from ctr_platform.defs.kafka.sensors import keep_topics_configured
from ctr_platform.defs.kafka.topics import (
    TOPIC_CONFIGS,
    ConfigDrift,
    describe_topics,
    ensure_topics,
    topic_configs,
)
from ctr_platform.resources import Kafka
from tests.support.isolation import use_settings

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

WEEK_MS = str(7 * 24 * 3_600_000)


def configs_of(settings: Settings) -> dict[str, dict[str, str]]:
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topic_configs(settings)]
    return {
        resource.name: {name: entry.value for name, entry in future.result(30).items()}
        for resource, future in admin.describe_configs(resources).items()
    }


def set_config(settings: Settings, topic: str, name: str, value: str) -> None:
    change = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[change])
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(30)


def test_they_are_made_as_the_contract_says(kafka_settings: Settings) -> None:
    assert not any(topic.exists for topic in describe_topics(kafka_settings))
    states = ensure_topics(kafka_settings)
    assert [(each.name, each.created, each.partitions) for each in states] == [
        (name, True, kafka_settings.kafka_partitions) for name in topic_configs(kafka_settings)
    ]
    assert {each.name for each in states} == {
        kafka_settings.kafka_topic_prefix + name
        for name in (RAW_TOPIC, ERROR_TOPIC, WINDOWS_TOPIC, REPLAYS_TOPIC)
    }
    configs = configs_of(kafka_settings)
    assert {each["retention.ms"] for each in configs.values()} == {WEEK_MS}
    assert configs[kafka_settings.raw_topic]["message.timestamp.type"] == "LogAppendTime"
    # What was replayed is remembered for ever.
    assert configs[kafka_settings.replays_topic]["cleanup.policy"] == "compact"
    assert "compact" in configs[kafka_settings.windows_topic]["cleanup.policy"].split(",")
    limits = {name: int(config["max.message.bytes"]) for name, config in configs.items()}
    # Kafka Connect's headers, the reason, and an exception message of up to 1 KiB.
    assert limits[kafka_settings.error_topic] >= limits[kafka_settings.raw_topic] + 4096


def test_making_sure_twice_changes_nothing(kafka_settings: Settings) -> None:
    ensure_topics(kafka_settings)
    assert all(not each.created and not each.corrected for each in ensure_topics(kafka_settings))


def test_two_at_once_do_no_harm(kafka_settings: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: ensure_topics(kafka_settings), range(4)))
    assert sum(each.created for states in results for each in states) == len(TOPIC_CONFIGS)
    assert {each.partitions for states in results for each in states} == {kafka_settings.kafka_partitions}


def test_drift_is_reported_and_corrected(kafka_settings: Settings) -> None:
    ensure_topics(kafka_settings)
    set_config(kafka_settings, kafka_settings.raw_topic, "retention.ms", "1000")
    set_config(kafka_settings, kafka_settings.error_topic, "max.message.bytes", "2000")
    # What the contract leaves open is left alone.
    set_config(kafka_settings, kafka_settings.raw_topic, "segment.ms", "3600000")
    corrected = {each.name: each.corrected for each in ensure_topics(kafka_settings)}
    assert corrected[kafka_settings.raw_topic] == (
        ConfigDrift(name="retention.ms", found="1000", wanted=WEEK_MS),
    )
    assert [(each.name, each.found) for each in corrected[kafka_settings.error_topic]] == [
        ("max.message.bytes", "2000")
    ]
    assert corrected[kafka_settings.windows_topic] == ()
    configs = configs_of(kafka_settings)
    assert (
        configs[kafka_settings.raw_topic]["retention.ms"],
        configs[kafka_settings.raw_topic]["segment.ms"],
    ) == (WEEK_MS, "3600000")
    assert not any(each.corrected for each in ensure_topics(kafka_settings))


def test_partitions_are_reported_but_never_added(kafka_settings: Settings) -> None:
    ensure_topics(kafka_settings)
    wider = kafka_settings.model_copy(update={"kafka_partitions": 6})
    assert {(each.partitions, each.wanted_partitions) for each in ensure_topics(wider)} == {(4, 6)}


def test_messages_are_counted_by_partition(kafka_settings: Settings) -> None:
    ensure_topics(kafka_settings)
    producer = Producer({"bootstrap.servers": kafka_settings.kafka_bootstrap_servers})
    for partition in (0, 0, 2):
        producer.produce(kafka_settings.raw_topic, b"x", partition=partition)
    assert producer.flush(30) == 0
    content = {each.name: each for each in describe_topics(kafka_settings)}
    assert [(each.begin, each.end) for each in content[kafka_settings.raw_topic].partitions] == [
        (0, 2),
        (0, 0),
        (0, 1),
        (0, 0),
    ]
    assert content[kafka_settings.raw_topic].messages == 3
    assert content[kafka_settings.error_topic].messages == 0


def test_installations_of_other_prefixes_share_a_broker(kafka_settings: Settings) -> None:
    other = kafka_settings.model_copy(update={"kafka_topic_prefix": f"{kafka_settings.kafka_topic_prefix}b."})
    ensure_topics(kafka_settings)
    assert not any(topic.exists for topic in describe_topics(other))
    assert all(each.created for each in ensure_topics(other))


def test_a_drift_is_put_back_and_told_by_the_sensor_which_makes_no_topic(
    brokers: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = use_settings(monkeypatch, brokers)

    def tick() -> dg.SensorResult:
        result = keep_topics_configured(kafka=Kafka())
        assert isinstance(result, dg.SensorResult)
        return result

    def look() -> tuple[bool, str]:
        [evaluation] = tick().asset_events
        assert isinstance(evaluation, dg.AssetCheckEvaluation)
        assert evaluation.severity is dg.AssetCheckSeverity.ERROR
        return evaluation.passed, evaluation.description or ""

    assert look() == (True, "")
    assert not any(topic.exists for topic in describe_topics(settings))
    ensure_topics(settings)
    set_config(settings, settings.raw_topic, "message.timestamp.type", "CreateTime")
    set_config(settings, settings.windows_topic, "retention.ms", "1000")
    passed, message = look()
    assert not passed
    assert f"message.timestamp.type of {settings.raw_topic} was CreateTime, not LogAppendTime" in message
    assert f"retention.ms of {settings.windows_topic} was 1000, not {WEEK_MS}" in message
    assert configs_of(settings)[settings.raw_topic]["message.timestamp.type"] == "LogAppendTime"
    assert look() == (True, "")
