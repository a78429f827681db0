"""The watchdog on a real Postgres, with a real receiver of webhooks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import insert as upsert

from contract.errors import CtrError
from ctr_platform.defs.alerts import watchdog
from ctr_platform.defs.alerts.heartbeats import record_heartbeat, record_trouble
from ctr_platform.defs.alerts.watchdog import WATCHED, Watchdog, last_look
from tests.support.stores import silent_port, writing_engine
from warehouse.models.accounting import LedgerRow
from warehouse.models.operation import FOLLOWER, SUPERVISOR, WATCHDOG
from warehouse.models.recount import RecountProgress
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.support.receiver import Receiver

ALL_BEAT: Final = "the supervisor's and the follower's heart beats"


def _age(settings: Settings, name: str, seconds: int) -> None:
    """Make a heartbeat older."""
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(
            text("UPDATE quality.heartbeats SET beat_at = now() - make_interval(secs => :s) WHERE name = :n"),
            {"s": seconds, "n": name},
        )


def test_whether_a_watchdog_looks_is_asked_of_what_it_wrote(settings: Settings) -> None:
    with pytest.raises(CtrError, match="no watchdog has looked for 60 s"):
        last_look(settings)
    record_heartbeat(settings, SUPERVISOR, "ctr_windows is RUNNING")
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
    record_heartbeat(settings, SUPERVISOR, "ctr_windows is RUNNING")
    assert dog.look() == ALL_BEAT
    assert receiver.take() == []
    _age(settings, SUPERVISOR, 61)
    assert dog.look() == dog.look() == "nobody watches the Flink job"
    [line] = receiver.take()
    assert "nobody watches the Flink job" in line
    assert "ctr_windows is RUNNING" in line
    warehouse = Warehouse(settings.postgres_url)
    assert warehouse.heartbeats()[WATCHDOG].detail == "nobody watches the Flink job"
    warehouse.close()
    record_heartbeat(settings, SUPERVISOR, "back")
    dog.look()
    [line] = receiver.take()
    assert "over: *nobody watches" in line


def test_a_follower_that_stands_still_is_told_with_what_keeps_it(
    settings: Settings, receiver: Receiver
) -> None:
    dog = Watchdog(settings)
    record_heartbeat(settings, SUPERVISOR, "ctr_windows is RUNNING")
    record_heartbeat(settings, FOLLOWER, "read 12 records")
    assert dog.look() == ALL_BEAT
    record_trouble(settings, FOLLOWER, "Kafka does not answer")
    assert dog.look() == ALL_BEAT  # a short outage is nobody's business
    _age(settings, FOLLOWER, 61)
    assert dog.look() == "nobody verifies the windows"
    [line] = receiver.take()
    assert "nobody verifies the windows" in line
    assert "Kafka does not answer" in line
    record_heartbeat(settings, FOLLOWER, "read 12 records")
    assert dog.look() == ALL_BEAT
    [line] = receiver.take()
    assert "over: *nobody verifies" in line


def test_a_supervisor_that_never_looked_has_time_to_begin(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    dog = Watchdog(settings)
    assert dog.look() == ALL_BEAT
    monkeypatch.setattr(watchdog, "WATCHED", [replace(each, grace_s=0.0) for each in WATCHED])
    hasty = Watchdog(settings.model_copy(update={"heartbeat_alarm": 1e-9}))
    assert "has never looked" in hasty.look()
    lines = receiver.take()
    assert ["has never looked" in lines[0], "no follower has ever" in lines[1]] == [True, True]


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
    record_heartbeat(settings, SUPERVISOR, "back")
    dog.look()
    [line] = receiver.take()
    assert "over: *the warehouse" in line


def _ledger(settings: Settings, first: int, last: int) -> None:
    now = datetime.now(tz=UTC)
    row = dict.fromkeys(("counted", "late", "malformed", "unknown_schema", "invalid"), 0)
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(
            insert(LedgerRow).values(
                topic=settings.raw_topic,
                partition=0,
                first_offset=first,
                last_offset=last,
                checkpoint_id=first,
                records_read=last - first + 1,
                job_id="a",
                run_started_at=now,
                **row,
            )
        )


def _recounted(settings: Settings, next_offset: int) -> None:
    sums = ("records_read", "counted", "late", "malformed", "unknown_schema", "invalid", "first_offset")
    values = {"topic": settings.raw_topic, "partition": 0, **dict.fromkeys(sums, 0)}
    adding = upsert(RecountProgress).values(**values, next_offset=next_offset)
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(
            adding.on_conflict_do_update(
                index_elements=["topic", "partition"], set_={"next_offset": next_offset}
            )
        )


def test_a_follower_whose_heart_beats_but_who_does_not_follow_is_told(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    dog = Watchdog(settings)
    monkeypatch.setattr(watchdog, "STANDS_AFTER_S", -1.0)
    monkeypatch.setattr(watchdog, "STANDS_AFTER_INTERVALS", 0)

    def look() -> str:
        for name in (SUPERVISOR, FOLLOWER):
            record_heartbeat(settings, name, "reads a backlog")
        return dog.look()

    _ledger(settings, 0, 99)
    _recounted(settings, 100)
    assert [look(), look()] == [ALL_BEAT] * 2, "there is nothing to follow"
    _ledger(settings, 100, 199)
    assert look() == "the follower makes no progress"
    [line] = receiver.take()
    assert "it stands at 100 records" in line
    assert "docs/runbook.md#alert_follower_stands" in line
    _recounted(settings, 150)
    assert look() == ALL_BEAT, "it moves"
    assert "over: *the follower makes no progress*" in receiver.take()[0]
    assert look() == "the follower makes no progress"
    _recounted(settings, 200)
    assert [look(), look()] == [ALL_BEAT] * 2


def test_what_the_warehouse_says_forges_nothing(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "GRACE_S", 0.0)
    dog = Watchdog(settings.model_copy(update={"postgres_db": "<!channel>\n*x*"}))
    dog.look()
    [line] = receiver.take()
    assert line.startswith(":red_circle: *the warehouse does not answer*: ")
    assert "&lt;!channel&gt; \u2217x\u2217" in line
