"""The watchdog on a real Postgres, with a real receiver of webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from ctr_platform.errors import CtrError
from ctr_platform.watch import watchdog
from ctr_platform.watch.heartbeats import beat
from ctr_platform.watch.watchdog import Watchdog, last_look
from tests.support.receiver import Receiver, receiving
from tests.support.stores import empty, running_stores, silent_port, writing_engine
from warehouse.models import SUPERVISOR, WATCHDOG
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctr_platform.settings import Settings
    from tests.support.stack import RunningStack


@pytest.fixture(scope="module")
def stores() -> Iterator[RunningStack]:
    with running_stores() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def settings(stores: RunningStack, receiver: Receiver) -> Settings:
    empty(stores.settings.postgres_url)
    return stores.settings.model_copy(update={"alert_webhook_url": SecretStr(receiver.url)})


def _age(settings: Settings, seconds: int) -> None:
    """Make the supervisor's heartbeat older."""
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(
            text("UPDATE quality.heartbeats SET beat_at = now() - make_interval(secs => :s) WHERE name = :n"),
            {"s": seconds, "n": SUPERVISOR},
        )


def test_whether_a_watchdog_looks_is_asked_of_what_it_wrote(settings: Settings) -> None:
    with pytest.raises(CtrError, match="no watchdog has looked for 60 s"):
        last_look(settings)
    beat(settings, SUPERVISOR, "ctr_windows is RUNNING")
    seen = Watchdog(settings).look()
    assert last_look(settings) == seen
    with pytest.raises(CtrError, match="no watchdog"):
        last_look(settings.model_copy(update={"heartbeat_alarm": 0.0}))
    with (
        silent_port() as port,
        pytest.raises(CtrError, match="Postgres"),
    ):
        last_look(settings.model_copy(update={"postgres_port": port}))


def test_a_heart_that_stops_is_told_once_and_that_it_beats_again(
    settings: Settings, receiver: Receiver
) -> None:
    dog = Watchdog(settings)
    beat(settings, SUPERVISOR, "ctr_windows is RUNNING")
    assert dog.look() == "the supervisor's heart beats"
    assert receiver.take() == []
    _age(settings, 61)
    assert dog.look() == dog.look() == "nobody watches the Flink job"
    [line] = receiver.take()
    assert "nobody watches the Flink job" in line
    assert "ctr_windows is RUNNING" in line
    warehouse = Warehouse(settings.postgres_url)
    assert warehouse.heartbeats()[WATCHDOG].detail == "nobody watches the Flink job"
    warehouse.close()
    beat(settings, SUPERVISOR, "back")
    dog.look()
    [line] = receiver.take()
    assert "over: *nobody watches" in line


def test_a_supervisor_that_never_looked_has_time_to_begin(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    dog = Watchdog(settings)
    assert dog.look() == "the supervisor's heart beats"
    monkeypatch.setattr(watchdog, "GRACE_S", 0.0)
    hasty = Watchdog(settings.model_copy(update={"heartbeat_alarm": 1e-9}))
    assert "has never looked" in hasty.look()
    [line] = receiver.take()
    assert "has never looked" in line


def test_an_absent_warehouse_is_told_without_the_book(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent_port() as port:
        dog = Watchdog(settings)
        dog._settings = settings.model_copy(update={"postgres_port": port})
        receiver.status = 500
        assert "does not answer" in dog.look()  # others may be about to start
        monkeypatch.setattr(watchdog, "GRACE_S", 0.0)
        dog.look()
        receiver.status = 200
        dog.look()
        dog.look()
        [line] = receiver.take()  # what was not delivered is told again, what was is not
        assert "the warehouse does not answer" in line
        assert str(port) in line
        dog._settings = settings
    beat(settings, SUPERVISOR, "back")
    dog.look()
    [line] = receiver.take()
    assert "over: *the warehouse" in line
