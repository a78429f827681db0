"""`ctr dead-letters` against a real queue."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from confluent_kafka import Producer

from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.defs.registry.subject import ensure_subject
from tests.oracle import schema_file

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.support.stack import RunningStack


@pytest.fixture
def queue(kafka_settings: Settings) -> Settings:
    """Three late records, one of them with two dead-letter messages, and a dead one."""
    ensure_topics(kafka_settings)
    schema_id = ensure_subject(kafka_settings).id
    schema: Any = fastavro.parse_schema(json.loads(schema_file().read_text(encoding="utf-8")))
    event = {field["name"]: 1 if field["type"] != "string" else "x" for field in schema["fields"]}
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, {**event, "timestamp": 1_700_000_000_000})
    good = struct.pack(">bI", 0, schema_id) + body.getvalue()
    producer = Producer({"bootstrap.servers": kafka_settings.kafka_bootstrap_servers})

    def dead_letter(reason: str, partition: int, offset: int, value: bytes | None, message: str) -> None:
        headers: list[tuple[str, str | bytes | None]] = [
            ("trace", b"\x01"),
            ("reason", reason.encode()),
            ("__connect.errors.topic", kafka_settings.raw_topic.encode()),
            ("__connect.errors.partition", str(partition).encode()),
            ("__connect.errors.offset", str(offset).encode()),
            ("__connect.errors.exception.message", message.encode()),
        ]
        producer.produce(kafka_settings.error_topic, value, b"key", partition=0, headers=headers)

    for offset in (5, 6, 7, 6):
        dead_letter("late", 1, offset, good, "too late")
    dead_letter("malformed", 2, 5, b"\xff\x00", "not wire format")
    producer.produce(kafka_settings.error_topic, b"no letter at all", partition=0)
    assert producer.flush(60) == 0
    return kafka_settings


def _ctr(brokers: RunningStack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ctr_platform", "dead-letters", *arguments],
        env=brokers.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.usefixtures("queue")
def test_reasons_are_counted_by_record(brokers: RunningStack) -> None:
    done = _ctr(brokers, "list", "--json")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["reason"], each["records"], each["example"]) for each in found] == [
        ("late", 3, "too late"),
        ("malformed", 1, "not wire format"),
    ]
    [newest] = _ctr(brokers, "list", "--limit", "2", "--json").stdout.splitlines()
    assert json.loads(newest)["reason"] == "malformed", "the last message but one"
    table = _ctr(brokers, "list")
    assert "malformed" in table.stdout


@pytest.mark.usefixtures("queue")
def test_samples_are_decoded_or_shown_as_bytes(brokers: RunningStack) -> None:
    done = _ctr(brokers, "sample", "--reason", "late", "--limit", "2", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["record"] for each in found] == [
        f"{brokers.settings.raw_topic} {place}" for place in ("1:5", "1:6")
    ]
    assert found[0]["event"]["timestamp"] == 1_700_000_000_000
    assert found[0]["headers"] == {"trace": "01"}
    [dead] = [
        json.loads(line)
        for line in _ctr(brokers, "sample", "--reason", "malformed", "--json").stdout.splitlines()
    ]
    assert (dead["hex"], dead["bytes"], dead["message"]) == ("ff 00", 2, "not wire format")


@pytest.mark.usefixtures("queue")
def test_one_record_is_shown_by_its_coordinates(brokers: RunningStack) -> None:
    done = _ctr(brokers, "show", "2:5")
    assert done.returncode == 0
    assert "not wire format" in done.stdout
    missing = _ctr(brokers, "show", "2:6")
    assert missing.returncode == 1
    assert "no dead-letter message is about 2:6" in missing.stderr
    wrong = _ctr(brokers, "show", "latest")
    assert wrong.returncode == 2
    assert "PARTITION:OFFSET" in wrong.stderr


def test_an_empty_queue_says_so(brokers: RunningStack, kafka_settings: Settings) -> None:
    ensure_topics(kafka_settings)
    assert "No record has been refused" in _ctr(brokers, "list").stdout
