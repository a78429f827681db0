"""A million good events with ten thousand hostile records among them, in calm and through every outage.

A real stack with Dagster keeps the job running by itself. Afterwards every record must have one outcome, and
every window must be what the recount and the oracle count: `make drill`, some twenty minutes.
"""

from __future__ import annotations

import random
import struct
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from confluent_kafka import Producer

from contract.errors import FlinkUnavailable
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.reconciliation.run import recount
from ctr_platform.defs.registry.subject import ensure_subject
from ctr_platform.devstack.probes import wait_until
from ctr_platform.devstack.service_list import DATA_SERVICES
from flink.config import JOB_NAME
from tests.oracle import dead_letters, expect
from tests.support.stack import running_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract.settings import Settings
    from tests.support.stack import RunningStack

pytestmark = [pytest.mark.drill, pytest.mark.timeout(3600)]

GOOD_EVENTS = 1_000_000
HOSTILE_RECORDS = 10_000
RATE = 3_000
"""Events/s: the million takes as long as six outages and what follows them."""

OUTAGE_S = 30
RECOVERY_S = 20
"""Between two faults, so that each meets a stream that flows."""

RUNNING_WITHIN_S = 300
ALL_READ_WITHIN_S = 900
YEAR_MS = 365 * 24 * 3_600_000


@pytest.fixture
def stack() -> Iterator[RunningStack]:
    """Everything but the dashboard and the traffic."""
    with running_stack((*DATA_SERVICES, "dagster-webserver", "dagster-daemon")) as running:
        wait_until(lambda: _job(running) is not None, RUNNING_WITHIN_S, "Dagster to bring the job up")
        yield running


def _job(stack: RunningStack) -> str | None:
    """Id of the running job."""
    try:
        with FlinkCluster(stack.settings.flink_rest_url) as cluster:
            running = [job.id for job in cluster.alive(JOB_NAME) if cluster.job(job.id).running]
    except FlinkUnavailable:
        return None
    return running[0] if running else None


def _hostile(rng: random.Random, schema_id: int) -> bytes | None:
    """One record of every kind that must not stop the job."""
    header = struct.pack(">bI", 0, schema_id)

    def event(click: int, timestamp_ms: int) -> bytes:
        text = b"\x02x"  # one letter
        numbers = b"\x02\x02"
        return header + b"".join(
            (
                *(text, _varint(click), numbers, b"\x02", text, text, text, text, text, text, text),
                *(text, text, b"\x02" * 10, _varint(timestamp_ms)),
            )
        )

    now_ms = time.time_ns() // 1_000_000
    kinds: list[Callable[[], bytes | None]] = [
        lambda: None,
        lambda: b"",
        lambda: rng.randbytes(rng.randrange(1, 200)),
        lambda: b"\0" + rng.randbytes(3),
        lambda: event(0, now_ms)[: rng.randrange(5, 40)],
        lambda: event(0, now_ms) + b"\0",
        lambda: struct.pack(">bI", 0, rng.randrange(900_000, 2**31)) + event(0, now_ms)[5:],
        lambda: header + rng.randbytes(60),
        lambda: event(2, now_ms),
        lambda: event(-1, now_ms),
        lambda: event(0, 0),
        lambda: event(0, -now_ms),
        lambda: event(0, now_ms + YEAR_MS),
    ]
    return rng.choice(kinds)()


def _varint(value: int) -> bytes:
    raw = (value << 1) ^ (value >> 63)
    out = bytearray()
    while raw >= 1 << 7:
        out.append(raw & 0x7F | 0x80)
        raw >>= 7
    out.append(raw)
    return bytes(out)


def _send_hostile(stack: RunningStack, producing: subprocess.Popen[bytes]) -> Iterator[None]:
    """Spread the hostile records over the time that the good ones take; resumed between other things."""
    rng = random.Random(4)
    schema_id = ensure_subject(stack.settings).id
    producer = Producer(
        {
            "bootstrap.servers": stack.settings.kafka_bootstrap_servers,
            "message.max.bytes": 2 << 20,
            "enable.idempotence": True,
            "log_level": 0,
        }
    )
    per_second = HOSTILE_RECORDS * RATE // GOOD_EVENTS + 1
    sent = 0
    while sent < HOSTILE_RECORDS:
        batch = per_second if producing.poll() is None else HOSTILE_RECORDS
        for _ in range(min(batch, HOSTILE_RECORDS - sent)):
            value = b"\0" * (1 << 20) if sent % 1000 == 0 else _hostile(rng, schema_id)
            producer.produce(stack.settings.raw_topic, value, partition=rng.randrange(4))
            producer.poll(0)
            sent += 1
        yield
    assert producer.flush(120) == 0


def _produce(stack: RunningStack) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ctr_platform", "produce", "--rate", str(RATE), "--count"]
    shares = ["--late-share", "0.01", "--disorder", "10s", "--seed", "4"]
    return subprocess.Popen(
        [*command, str(GOOD_EVENTS), *shares],
        env=stack.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _stop_for(stack: RunningStack, name: str, pause: Callable[[float], None]) -> None:
    stack.stop(name)
    pause(OUTAGE_S)
    stack.start(name)


def _faults(stack: RunningStack) -> list[tuple[str, Callable[[Callable[[float], None]], None]]]:
    return [
        ("TaskManager killed", lambda _pause: stack.kill("taskmanager-1")),
        ("other TaskManager killed", lambda _pause: stack.kill("taskmanager-2")),
        ("JobManager killed", lambda _pause: stack.kill("jobmanager")),
        ("Kafka stopped", lambda pause: _stop_for(stack, "kafka", pause)),
        ("Postgres stopped", lambda pause: _stop_for(stack, "postgres", pause)),
        ("Redis stopped", lambda pause: _stop_for(stack, "redis", pause)),
        ("registry stopped", lambda pause: _stop_for(stack, "registry", pause)),
    ]


@pytest.mark.parametrize("faults", [False, True], ids=["calm", "outages"])
def test_every_record_has_one_fate_and_every_window_is_exact(stack: RunningStack, *, faults: bool) -> None:
    first_job = _job(stack)
    producing = _produce(stack)
    hostile = _send_hostile(stack, producing)

    def pause(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            next(hostile, None)
            time.sleep(1)

    try:
        pause(RECOVERY_S)
        for name, strike in _faults(stack) if faults else []:
            strike(pause)
            while _job(stack) is None:
                pause(1)
            print(name, flush=True)
            pause(RECOVERY_S)
        while producing.poll() is None:
            pause(1)
        assert producing.returncode == 0
        for _ in hostile:
            pass
    finally:
        producing.kill()
        producing.wait()
    expected = expect(stack.settings)
    assert expected.records == GOOD_EVENTS + HOSTILE_RECORDS
    wait_until(
        lambda: _ledger(stack.settings)["records_read"] >= expected.records, ALL_READ_WITHIN_S, "the ledger"
    )
    dead = Counter(expected.dead.values())
    totals = {
        "records_read": expected.records,
        "counted": sum(expected.counted.values()),
        "late": len(expected.late),
        **{reason: dead[reason] for reason in ("malformed", "unknown_schema", "invalid")},
    }
    print(totals)
    assert _ledger(stack.settings) == totals
    found = {place: reason for place, (reason, _) in dead_letters(stack.settings).items()}
    assert found == {**expected.dead, **dict.fromkeys(expected.late, "late")}
    wanted = {minutes: expected.windows(minutes) for minutes in (1, 5)}
    wait_until(
        lambda: all(_windows(stack.settings, minutes) == wanted[minutes] for minutes in wanted),
        RUNNING_WITHIN_S,
        "the windows",
    )
    done: list[Any] = []

    def recounted() -> bool:
        done.append(recount(stack.settings))
        return done[-1].verification.windows > 0 and not done[-1].reading.behind

    wait_until(recounted, RUNNING_WITHIN_S, "the recount")
    assert done[-1].verification.inexact == 0
    with FlinkCluster(stack.settings.flink_rest_url) as cluster:
        job = _job(stack)
        assert job is not None
        assert not any(cluster.metrics(job).summed("numLateRecordsDropped").values())
        if not faults:
            assert job == first_job
            assert cluster.failures(job, 1) == []


def _rows(settings: Settings, statement: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(
        host=settings.postgres_host,
        port=settings.postgres_port,
        dbname=settings.postgres_db,
        user=settings.postgres_user,
        password=settings.postgres_password.get_secret_value(),
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        connection.close()


def _ledger(settings: Settings) -> dict[str, int]:
    columns = ("records_read", "counted", "late", "malformed", "unknown_schema", "invalid")
    sums = ", ".join(f"coalesce(sum({column}), 0)::bigint" for column in columns)
    [row] = _rows(settings, f"select {sums} from quality.ledger_current")
    return dict(zip(columns, row, strict=True))


def _windows(settings: Settings, minutes: int) -> dict[tuple[int, str, int], tuple[int, int]]:
    rows = _rows(
        settings,
        "select (extract(epoch from window_start) * 1000)::bigint, site_category, device_type, impressions,"
        f" clicks from realtime.counts_{minutes}min",
    )
    return {(start, category, device): (count, clicks) for start, category, device, count, clicks in rows}
