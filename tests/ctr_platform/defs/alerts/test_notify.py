"""Problems are told once when they begin, again while they last, and once when they are over."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from contract.errors import CtrError, WarehouseUnavailable
from ctr_platform.defs.alerts import notify as notify_module
from ctr_platform.defs.alerts.alert import Alert
from ctr_platform.defs.alerts.message import MAX_LINES
from ctr_platform.defs.alerts.notify import notify
from tests.support.stores import empty, silent_port, writing_engine

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.support.receiver import Receiver


SINCE = datetime(2026, 1, 31, 9, 5, tzinfo=UTC)
BEGAN = "(since 2026-01-31 09:05 UTC)"


def _alert(key: str, detail: str = "") -> Alert:
    return Alert(key=key, title=f"{key} fails", detail=detail, since=SINCE)


def _said(lines: list[str]) -> list[str]:
    """Lines without how long it lasted, which depends on the day of the test."""
    return [re.sub(r" \(after \d+ min\)$", "", line) for line in lines]


def test_a_problem_is_told_when_it_begins_and_when_it_is_over(settings: Settings, receiver: Receiver) -> None:
    shown = Alert(
        key="a",
        title="a fails",
        detail="3 of 9",
        url="http://ui/a",
        mend_url="http://ui/mend",
        runbook="a",
        since=SINCE,
    )
    notify(settings, "test", [shown, _alert("b")])
    assert receiver.take() == [
        f":red_circle: *a fails*: 3 of 9 {BEGAN} <http://ui/a|open> <http://ui/mend|mend> docs/runbook.md#a",
        f":red_circle: *b fails* {BEGAN}",
    ]
    notify(settings, "test", [_alert("a", "other words"), _alert("b")])
    assert receiver.take() == []
    notify(settings, "test", [_alert("b")])
    assert _said(receiver.take()) == [":large_green_circle: over: *a fails*: other words"]
    notify(settings, "test", [_alert("a"), _alert("b")])
    assert receiver.take() == [f":red_circle: *a fails* {BEGAN}"]


def test_what_lasts_is_told_again(settings: Settings, receiver: Receiver) -> None:
    notify(settings, "test", [_alert("a")])
    receiver.take()
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(text("update quality.alerts set told_at = told_at - interval '61 minutes'"))
    for expected in ([f":hourglass: still: *a fails*: worse {BEGAN}"], []):
        notify(settings, "test", [_alert("a", "worse")])
        assert receiver.take() == expected


def test_sources_leave_each_other_s_problems_alone(settings: Settings, receiver: Receiver) -> None:
    notify(settings, "one", [_alert("a")])
    notify(settings, "two", [_alert("a")])
    assert receiver.take() == [f":red_circle: *a fails* {BEGAN}"] * 2
    notify(settings, "two", [])
    assert _said(receiver.take()) == [":large_green_circle: over: *a fails*"]
    notify(settings, "one", [_alert("a")])
    assert receiver.take() == []


def test_what_is_unknown_now_stays_as_it_is(settings: Settings, receiver: Receiver) -> None:
    notify(settings, "test", [_alert("a")])
    receiver.take()
    notify(settings, "test", [], unknown={"a", "never heard of"})
    assert receiver.take() == []


def test_text_that_cannot_be_stored_keeps_no_alert_back(settings: Settings, receiver: Receiver) -> None:
    notify(settings, "test", [_alert("a", "quotes \0 and \ud800"), _alert("b")])
    assert receiver.take() == [
        f":red_circle: *a fails*: quotes \ufffd and ? {BEGAN}",
        f":red_circle: *b fails* {BEGAN}",
    ]


def test_a_long_message_is_cut(settings: Settings, receiver: Receiver) -> None:
    notify(settings, "test", [_alert(f"{number:03}") for number in range(MAX_LINES + 5)])
    lines = receiver.take()
    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == "... and 5 more"


@pytest.mark.parametrize("status", [500, 404])
def test_what_the_webhook_does_not_take_is_told_the_next_time(
    settings: Settings, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    with pytest.raises(CtrError, match=f"status {status}") as refused:
        notify(settings, "test", [_alert("a")])
    assert "secret" not in str(refused.value)
    receiver.status = 200
    notify(settings, "test", [_alert("a")])
    assert receiver.take() == [f":red_circle: *a fails* {BEGAN}"]


def test_without_a_webhook_the_log_is_told(
    settings: Settings, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    quiet = settings.model_copy(update={"alert_webhook_url": type(settings.alert_webhook_url)("")})
    notify(quiet, "test", [_alert("a")])
    assert ":red_circle: *a fails*" in caplog.text
    assert receiver.take() == []


def test_a_warehouse_that_is_away_is_a_clear_error(settings: Settings) -> None:
    with silent_port() as port, pytest.raises(WarehouseUnavailable):
        notify(settings.model_copy(update={"postgres_port": port}), "test", [_alert("a")])


class Ended(BaseException):
    """Stands for the end of a process: nothing of the platform catches it."""


def test_nobody_waits_for_the_webhook(settings: Settings, receiver: Receiver) -> None:
    """Neither a lock nor a transaction outlives the moment before the message is sent."""
    held: list[int] = []

    def look() -> None:
        with writing_engine(settings.postgres_url).begin() as connection:
            held.extend(
                connection.scalars(
                    text(
                        "select pid from pg_stat_activity where application_name = 'ctr-alerts' and "
                        "datname = current_database() and state <> 'idle' union all "
                        "select pid from pg_locks where locktype = 'advisory' and database = "
                        "(select oid from pg_database where datname = current_database())"
                    )
                )
            )
            connection.execute(text("select 1 from quality.alerts for update nowait"))

    receiver.meanwhile = look
    notify(settings, "test", [_alert("a")])
    assert len(receiver.take()) == 1
    assert held == []


def test_of_two_who_notify_at_once_one_sends(settings: Settings, receiver: Receiver) -> None:
    both = threading.Barrier(2)
    sending = threading.Event()
    receiver.meanwhile = lambda: sending.set() or time.sleep(0.5)  # type: ignore[func-returns-value]

    def one(source: str) -> None:
        both.wait()
        notify(settings, source, [_alert(source)])
        if sending.is_set():  # the other one is still sending
            notify(settings, source, [_alert(source)])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, ("a", "b")))
    assert sorted(receiver.take()) == [f":red_circle: *{name} fails* {BEGAN}" for name in "ab"]


def test_a_process_that_ends_while_it_notifies_costs_one_message_more(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_arguments: object) -> None:
        raise Ended

    with monkeypatch.context() as dying:
        dying.setattr(notify_module, "record_notified", end)
        with pytest.raises(Ended):
            notify(settings, "test", [_alert("a")])
    assert len(receiver.take()) == 1
    notify(settings, "test", [_alert("a")])
    assert receiver.take() == [], "the lease of who has ended lasts"
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(text("update quality.alerts set claimed_until = now() - interval '1 s'"))
    for expected in (1, 0):
        notify(settings, "test", [_alert("a")])
        assert len(receiver.take()) == expected


@pytest.mark.parametrize("delivered", [True, False])
def test_what_comes_back_while_people_are_told_it_is_over_is_told(
    settings: Settings, receiver: Receiver, *, delivered: bool
) -> None:
    notify(settings, "test", [_alert("a")])
    receiver.take()

    def back() -> None:
        receiver.meanwhile = lambda: None
        notify(settings, "test", [_alert("a")])

    receiver.meanwhile = back
    receiver.status = 200 if delivered else 503
    with contextlib.nullcontext() if delivered else pytest.raises(CtrError):
        notify(settings, "test", [])
    receiver.status = 200
    notify(settings, "test", [_alert("a")])
    assert receiver.take()[-1] == f":red_circle: *a fails* {BEGAN}"
    notify(settings, "test", [_alert("a")])
    assert receiver.take() == []


def test_an_alert_that_is_over_before_its_message_has_arrived_is_told_to_be_over(
    settings: Settings, receiver: Receiver
) -> None:
    def mended() -> None:
        receiver.meanwhile = lambda: None
        notify(settings, "test", [])

    receiver.meanwhile = mended
    notify(settings, "test", [_alert("a")])
    notify(settings, "test", [])
    assert _said(receiver.take()) == [
        f":red_circle: *a fails* {BEGAN}",
        ":large_green_circle: over: *a fails*",
    ]


_STEPS = st.lists(
    st.tuples(st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc")), st.booleans()), max_size=8
)


@given(steps=_STEPS)
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_people_know_what_is_wrong_whatever_happens(
    settings: Settings, receiver: Receiver, steps: list[tuple[set[str], set[str], bool]]
) -> None:
    """A model of the book: what is open, and what people have been told to be open."""
    empty(settings.postgres_url)
    is_open: set[str] = set()
    notified: set[str] = set()
    for wrong, unknown, delivered in [*steps, (set(), set(), True)]:
        is_open = wrong | (is_open & unknown)
        receiver.status = 200 if delivered else 503
        if is_open == notified:
            notify(settings, "test", [_alert(each) for each in wrong], unknown)
            assert receiver.take() == []
        elif delivered:
            notify(settings, "test", [_alert(each) for each in wrong], unknown)
            opened = [f":red_circle: *{each} fails* {BEGAN}" for each in is_open - notified]
            over = [f":large_green_circle: over: *{each} fails*" for each in notified - is_open]
            assert sorted(_said(receiver.take())) == sorted(opened + over)
            notified = set(is_open)
        else:
            with pytest.raises(CtrError):
                notify(settings, "test", [_alert(each) for each in wrong], unknown)
