"""The topics of the platform: what they must be, making them so, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)
from tenacity import Retrying, retry_if_exception, retry_if_result, stop_after_delay, wait_fixed

from contract.names import ERROR_TOPIC, RAW_TOPIC, REPLAYS_TOPIC, WINDOWS_TOPIC
from contract.settings import Settings
from ctr_platform.defs.kafka.client import ADMIN_TIMEOUT_S, admin_client, ask, result
from flink.config import DEAD_LETTER_MAX_BYTES, RAW_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.admin import AdminClient

T = TypeVar("T")

RETENTION_MS: Final = 7 * 24 * 3_600_000

_METADATA_POLL_S: Final = 0.05
_UNSETTLED: Final = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)

# The broker's own time everywhere: with the producer's time, a message dated a year ahead would be refused
# by the broker, and one dated last year would be deleted by retention as soon as it is written.
_COMMON: Final = {"retention.ms": str(RETENTION_MS), "message.timestamp.type": "LogAppendTime"}

TOPIC_CONFIGS: Final[dict[str, dict[str, str]]] = {
    RAW_TOPIC: _COMMON | {"cleanup.policy": "delete", "max.message.bytes": str(RAW_MAX_BYTES)},
    ERROR_TOPIC: _COMMON
    | {
        "cleanup.policy": "delete",
        "max.message.bytes": str(DEAD_LETTER_MAX_BYTES),
    },
    WINDOWS_TOPIC: _COMMON | {"cleanup.policy": "compact,delete"},
    REPLAYS_TOPIC: _COMMON | {"cleanup.policy": "compact"},
}
"""Topic, as the shipped stream calls it -> the configuration it must have. `compact,delete`: the newest
revision of a key, for seven days; `compact`: for ever, so that nothing is replayed twice."""


def topic_configs(settings: Settings) -> dict[str, dict[str, str]]:
    """Name each topic of this installation with the configuration it must have."""
    return {name: TOPIC_CONFIGS[shipped] for shipped, name in settings.topics.items()}


@dataclass(frozen=True, kw_only=True)
class ConfigDrift:
    """One topic setting that was not as specified, and has been corrected."""

    name: str
    found: str
    wanted: str


@dataclass(frozen=True, kw_only=True)
class TopicState:
    """A topic after `ensure_topics`.

    `partitions` may differ from `wanted_partitions` for a topic that existed: partitions are never
    added to a topic in use, for it would move keys between partitions.
    """

    name: str
    created: bool
    partitions: int
    wanted_partitions: int
    corrected: tuple[ConfigDrift, ...]


@dataclass(frozen=True, kw_only=True)
class PartitionOffsets:
    """Offsets `[begin, end)` of one partition."""

    partition: int
    begin: int
    end: int


@dataclass(frozen=True, kw_only=True)
class TopicContent:
    """What a topic holds; `partitions` is empty when it does not exist."""

    name: str
    partitions: tuple[PartitionOffsets, ...]

    @property
    def exists(self) -> bool:
        """Whether the topic exists."""
        return bool(self.partitions)

    @property
    def messages(self) -> int:
        """Offsets in use: the number of messages, or above it after compaction or transactions."""
        return sum(each.end - each.begin for each in self.partitions)


def ensure_topics(settings: Settings) -> list[TopicState]:
    """Create the topics that are missing and correct the configuration of those that exist.

    Idempotent; two callers at once do no harm.

    Raises:
        CtrError: the broker does not answer, or refuses.
    """
    return ask(
        settings, lambda: _ensure(admin_client(settings), topic_configs(settings), settings.kafka_partitions)
    )


def correct_topics(settings: Settings) -> dict[str, tuple[ConfigDrift, ...]]:
    """Correct the configuration of the topics that exist, and create none; returns the drift by topic.

    Raises:
        CtrError: the broker does not answer, or refuses.
    """
    return ask(settings, lambda: _settled(_corrected(topic_configs(settings)), admin_client(settings)))


def describe_topics(settings: Settings) -> list[TopicContent]:
    """Partitions and offsets of the topics, in the order of `TOPIC_CONFIGS`.

    Raises:
        CtrError: the broker does not answer.
    """
    names = list(topic_configs(settings))
    return ask(settings, lambda: _settled(lambda admin: _describe(admin, names), admin_client(settings)))


def _ensure(
    admin: AdminClient, configs: dict[str, dict[str, str]], wanted_partitions: int
) -> list[TopicState]:
    created = {name for name in configs if _create(admin, name, configs[name], wanted_partitions)}
    others = {name: config for name, config in configs.items() if name not in created}
    drifts = _settled(lambda client: _drifts(client, others), admin)
    _correct(admin, drifts)
    partitions = _all_partition_ids(admin, list(configs))
    return [
        TopicState(
            name=name,
            created=name in created,
            partitions=len(partitions[name]),
            wanted_partitions=wanted_partitions,
            corrected=drifts.get(name, ()),
        )
        for name in configs
    ]


def _corrected(
    configs: dict[str, dict[str, str]],
) -> Callable[[AdminClient], dict[str, tuple[ConfigDrift, ...]]]:
    def corrected(admin: AdminClient) -> dict[str, tuple[ConfigDrift, ...]]:
        known = _partition_ids(admin, list(configs))
        drifts = _drifts(admin, {name: config for name, config in configs.items() if name in known})
        _correct(admin, drifts)
        return drifts

    return corrected


def _create(admin: AdminClient, name: str, config: dict[str, str], partitions: int) -> bool:
    """Create one topic with the broker's default replication; false if it exists."""
    topic = NewTopic(name, num_partitions=partitions, config=config)
    try:
        result(admin.create_topics([topic], operation_timeout=ADMIN_TIMEOUT_S)[name])
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise
    return True


def _partition_ids(admin: AdminClient, names: list[str]) -> dict[str, list[int]]:
    """Topic -> its partitions, for those of these topics that exist."""
    known = admin.list_topics(timeout=ADMIN_TIMEOUT_S).topics
    return {name: sorted(known[name].partitions) for name in names if name in known}


def _all_partition_ids(admin: AdminClient, names: list[str]) -> dict[str, list[int]]:
    """The partitions of all these topics; a broker knows a new topic some milliseconds later."""
    return Retrying(
        retry=retry_if_result(lambda found: len(found) < len(names)),
        wait=wait_fixed(_METADATA_POLL_S),
        stop=stop_after_delay(ADMIN_TIMEOUT_S),
    )(_partition_ids, admin, names)


def _drifts(admin: AdminClient, configs: dict[str, dict[str, str]]) -> dict[str, tuple[ConfigDrift, ...]]:
    """Topic -> its settings that are not as specified."""
    if not configs:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in configs]
    answers = admin.describe_configs(resources, request_timeout=ADMIN_TIMEOUT_S)
    found = {resource.name: result(future) for resource, future in answers.items()}
    return {
        name: tuple(
            ConfigDrift(name=key, found=str(found[name][key].value), wanted=wanted)
            for key, wanted in config.items()
            if found[name][key].value != wanted
        )
        for name, config in configs.items()
    }


def _correct(admin: AdminClient, drifts: dict[str, tuple[ConfigDrift, ...]]) -> None:
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(drift.name, drift.wanted, incremental_operation=AlterConfigOpType.SET)
                for drift in drifts_of_topic
            ],
        )
        for name, drifts_of_topic in drifts.items()
        if drifts_of_topic
    ]
    if resources:
        for future in admin.incremental_alter_configs(resources, request_timeout=ADMIN_TIMEOUT_S).values():
            result(future)


def _settled(request: Callable[[AdminClient], T], admin: AdminClient) -> T:
    """Repeat a request while the broker does not know a topic or its leaders yet.

    So it is for a moment after somebody made the topic, and after a restart.
    """
    return Retrying(
        retry=retry_if_exception(
            lambda error: isinstance(error, KafkaException) and error.args[0].code() in _UNSETTLED
        ),
        wait=wait_fixed(_METADATA_POLL_S),
        stop=stop_after_delay(ADMIN_TIMEOUT_S),
        reraise=True,
    )(request, admin)


def _describe(admin: AdminClient, names: list[str]) -> list[TopicContent]:
    partitions = _partition_ids(admin, names)
    keys = [TopicPartition(name, each) for name, ids in partitions.items() for each in ids]
    begin, end = (
        {
            (key.topic, key.partition): result(future).offset
            for key, future in admin.list_offsets(
                dict.fromkeys(keys, spec), request_timeout=ADMIN_TIMEOUT_S
            ).items()
        }
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
    )
    return [
        TopicContent(
            name=name,
            partitions=tuple(
                PartitionOffsets(partition=each, begin=begin[name, each], end=end[name, each])
                for each in partitions.get(name, [])
            ),
        )
        for name in names
    ]
