"""Synthetic traffic through a real broker: nothing lost, nothing doubled, every outcome as intended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from contract.errors import CtrError
from ctr_platform.defs.kafka.topics import describe_topics
from ctr_platform.devstack.probes import wait_until
from ctr_platform.loadgen.outcomes import OutcomeShares
from ctr_platform.loadgen.plan import MAX_RATE, Plan, TrafficRequest
from ctr_platform.loadgen.synthetic import events_of
from tests.oracle import expect, read_topic
from tests.support.sending import send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.settings import Settings
    from ctr_platform.loadgen.produce import ProduceReport
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

MINUTE_MS = 60_000
STARTED_WITHIN_S = 60


def run(settings: Settings, **asked: Any) -> tuple[ProduceReport, Plan]:
    plans: list[Plan] = []
    report = send(settings, TrafficRequest(**asked), plans.append)
    return report, plans[0]


def appended(settings: Settings) -> int:
    return {each.name: each.messages for each in describe_topics(settings)}[settings.raw_topic]


@contextmanager
def running(brokers: RunningStack, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`ctr produce` in a process of its own, once its first events have arrived."""
    with subprocess.Popen(
        [sys.executable, "-m", "ctr_platform", "produce", "--json", *options],
        env=brokers.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until(lambda: appended(brokers.settings) > 0, STARTED_WITHIN_S, "the first event")
            yield process
        finally:
            process.kill()


def report_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, errors = process.communicate(timeout=120)
    assert output, errors
    report: dict[str, Any] = json.loads(output)
    return report


@pytest.mark.parametrize("rate", [MAX_RATE, 20_000.0])
def test_every_event_meets_the_fate_it_was_made_for(kafka_settings: Settings, rate: float) -> None:
    shares = OutcomeShares(late=0.03, malformed=0.02, invalid=0.015, unknown_schema=0.01)
    report, _ = run(kafka_settings, rate=rate, count=20_000, disorder_ms=10_000, shares=shares)
    assert report.delivery.complete
    expected = expect(kafka_settings)
    assert expected.records == 20_000
    found = Counter(expected.dead.values()) + Counter(
        {"late": len(expected.late), "counted": expected.counted.total()}
    )
    assert found == report.intended
    assert found == {"counted": 18_500, "late": 600, "malformed": 400, "invalid": 300, "unknown_schema": 200}


def test_ids_are_unique_and_partitions_get_equal_shares(kafka_settings: Settings) -> None:
    for _ in range(2):
        run(kafka_settings, rate=MAX_RATE, count=30_002, seed=7)
    messages = list(read_topic(kafka_settings, kafka_settings.raw_topic))
    # Confluent's header is five bytes, the id's length one.
    assert len({(message.value or b"")[6:26] for message in messages}) == 60_004
    assert sorted(Counter(message.partition for message in messages).values()) == [
        15_000,
        15_000,
        15_002,
        15_002,
    ]


def test_a_seed_draws_the_same_events(kafka_settings: Settings) -> None:
    for _ in range(2):
        run(kafka_settings, rate=MAX_RATE, count=2000, seed=7)
    bodies = Counter(
        (message.value or b"")[26:-6] for message in read_topic(kafka_settings, kafka_settings.raw_topic)
    )
    assert all(count % 2 == 0 for count in bodies.values())


def test_every_deterministic_window_has_the_announced_figures(kafka_settings: Settings) -> None:
    report, plan = run(
        kafka_settings,
        deterministic=True,
        span_ms=3 * MINUTE_MS,
        shares=OutcomeShares(late=0.02, malformed=0.02, invalid=0.02),
    )
    assert report.delivery.complete
    expected = expect(kafka_settings)
    assert plan.event_time is not None
    assert plan.window_figures == (1000, 170)
    assert expected.windows(1) == {
        (plan.event_time.start_ms + minute * MINUTE_MS, *segment.values): (1000, 170)
        for minute in range(3)
        for segment in events_of(kafka_settings.declared_stream()).known()
    }
    assert len(expected.late) == report.intended["late"] > 0


def test_traffic_of_the_past_is_refused_when_it_would_be_late(kafka_settings: Settings) -> None:
    run(kafka_settings, span_ms=10 * MINUTE_MS, count=1000)
    with pytest.raises(CtrError, match="would be late"):
        run(kafka_settings, span_ms=10 * MINUTE_MS, count=1000)
    assert appended(kafka_settings) == 1000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_loses_nothing(
    brokers: RunningStack, kafka_settings: Settings, number: signal.Signals
) -> None:
    with running(brokers, "--rate", "max") as process:
        process.send_signal(number)
        report = report_of(process)
    assert process.returncode == 0
    delivery = report["delivery"]
    assert delivery["queued"] == delivery["delivered"] == sum(report["intended"].values()) > 0
    assert appended(kafka_settings) == delivery["delivered"]


def test_a_broker_that_goes_and_comes_back_delays_but_loses_nothing(
    brokers: RunningStack, kafka_settings: Settings
) -> None:
    # More than the client's queue holds, so that it is full while the broker is unavailable.
    with running(brokers, "--rate", "max", "--count", "1500000") as process:
        brokers.stop("kafka")
        try:
            time.sleep(3)
            assert process.poll() is None
        finally:
            brokers.start("kafka")
        report = report_of(process)
    assert process.returncode == 0
    assert report["delivery"]["delivered"] == 1_500_000
    assert appended(kafka_settings) == 1_500_000
    assert (
        len(
            {(message.value or b"")[6:26] for message in read_topic(kafka_settings, kafka_settings.raw_topic)}
        )
        == 1_500_000
    )


def test_a_second_interrupt_gives_up_what_cannot_be_delivered(
    brokers: RunningStack, kafka_settings: Settings
) -> None:
    del kafka_settings
    with running(brokers, "--rate", "2000") as process:
        brokers.stop("kafka")
        try:
            time.sleep(2)
            process.send_signal(signal.SIGINT)
            time.sleep(2)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            report = report_of(process)
        finally:
            brokers.start("kafka")
    assert process.returncode == 1
    delivery = report["delivery"]
    assert delivery["pending"] > 0
    assert delivery["queued"] == delivery["delivered"] + delivery["pending"]


def test_without_a_broker_there_is_one_clear_line(kafka_settings: Settings) -> None:
    nowhere = kafka_settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    with pytest.raises(CtrError, match=r"Kafka at 127.0.0.1:1 does not answer.*ctr up"):
        run(nowhere, count=1)
