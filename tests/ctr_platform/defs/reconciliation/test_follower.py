"""The follower as a process of its own: it follows, waits for what is unavailable, and ends in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import func, select

from contract.errors import CtrError
from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.defs.reconciliation.follower import Follower, last_pass
from ctr_platform.defs.reconciliation.state import lock
from ctr_platform.devstack.probes import wait_until
from tests.support.isolation import own
from tests.support.stores import silent_port
from warehouse.engine import writing_engine
from warehouse.models.operation import FOLLOWER, Heartbeat
from warehouse.models.recount import ReconciliationPass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contract.settings import Settings
    from tests.support.stack import RunningStack, SharedStack

LOCKED_OUT_S: Final = 3.0
"""A pass over empty topics takes half of it."""

PASS_WITHIN_S: Final = 60.0
"""A process starts, reads and verifies in seconds; this machine may be busy."""


@pytest.fixture(scope="module")
def readable(shared: SharedStack) -> Iterator[RunningStack]:
    """What the reconciliation reads: topics, a registry and a migrated warehouse."""
    with own(shared.need("postgres", "kafka", "registry")) as made:
        ensure_topics(made.settings)
        yield made


@contextmanager
def _following(stack: RunningStack, log: Path, interval: str = "1s") -> Iterator[subprocess.Popen[bytes]]:
    """`ctr follow`, killed at the end if it has not ended by then."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "ctr_platform", "follow"],
            env={**stack.environment, "RECOUNT_INTERVAL": interval},
            stdout=out,
            stderr=out,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _passes(settings: Settings) -> int:
    with writing_engine(settings.postgres_url, "test").connect() as connection:
        return connection.scalar(select(func.count()).select_from(ReconciliationPass)) or 0


def _wait_for_more(settings: Settings, than: int) -> None:
    wait_until(lambda: _passes(settings) > than, PASS_WITHIN_S, "a pass")


def test_it_follows_until_it_is_told_to_end(readable: RunningStack, tmp_path: Path) -> None:
    settings, log = readable.settings, tmp_path / "log"
    before = _passes(settings)
    with _following(readable, log) as process:
        _wait_for_more(settings, before + 1)
        assert "verified 0 windows" in last_pass(settings)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PASS_WITHIN_S) == 0
    assert log.read_text(encoding="utf-8").splitlines()[-1].endswith("behind the last committed batch")


def test_what_is_away_is_logged_once_and_it_goes_on_when_it_is_back(
    readable: RunningStack, tmp_path: Path
) -> None:
    settings, log = readable.settings, tmp_path / "log"
    with _following(readable, log) as process:
        _wait_for_more(settings, _passes(settings))
        for name in ("kafka", "postgres"):
            readable.stop(name)
            try:
                wait_until(lambda: "waits: " in log.read_text(), PASS_WITHIN_S, f"word of {name}")
            finally:
                readable.start(name)
            _wait_for_more(settings, _passes(settings))
            wait_until(lambda: "goes on: " in log.read_text(), PASS_WITHIN_S, "word that it goes on")
            assert log.read_text().count("waits: ") == log.read_text().count("goes on: ") == 1, name
            log.write_text("")
        assert process.poll() is None


def test_passes_take_turns(readable: RunningStack) -> None:
    """Whoever else recounts holds the lock meanwhile: there is no pass, and then there is."""
    settings = readable.settings
    follower = Follower(settings)
    with writing_engine(settings.postgres_url, "test").connect() as other:
        assert lock(other)
        before = _passes(settings)
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(follower.follow_once)
            with pytest.raises(TimeoutError):
                waiting.result(LOCKED_OUT_S)
            assert _passes(settings) == before
            other.invalidate()
            assert waiting.result(PASS_WITHIN_S) is not None
    assert _passes(settings) == before + 1


def test_a_pass_that_fails_leaves_its_reason_and_no_heartbeat(readable: RunningStack) -> None:
    settings = readable.settings
    assert Follower(settings).follow_once() is not None
    with silent_port() as port:
        away = settings.model_copy(update={"schema_registry_url": "http://127.0.0.1:1"})
        away = away.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{port}"})
        engine = writing_engine(settings.postgres_url, "test")
        query = select(Heartbeat.beat_at, Heartbeat.detail).where(Heartbeat.name == FOLLOWER)
        with engine.connect() as connection:
            beat_at, _ = connection.execute(query).one()
        assert Follower(away).follow_once() is None
        with engine.connect() as connection:
            later, detail = connection.execute(query).one()
    assert later == beat_at
    assert "Kafka" in detail
    with pytest.raises(CtrError, match="no follower has verified the windows"):
        last_pass(settings.model_copy(update={"heartbeat_alarm": 1e-9}))
