"""Problems are told once when they begin, again while they last, and once when they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from contract.errors import CtrError, WarehouseUnavailable
from ctr_platform.defs.alerts.alert import Alert
from ctr_platform.defs.alerts.notify import MAX_LINES, notify
from tests.support.stores import empty, silent_port, writing_engine

if TYPE_CHECKING:
    from contract.settings import Settings
    from tests.support.receiver import Receiver


def _alert(key: str, detail: str = "") -> Alert:
    return Alert(key=key, title=f"{key} fails", detail=detail)


def test_a_problem_is_told_when_it_begins_and_when_it_is_over(settings: Settings, receiver: Receiver) -> None:
    shown = Alert(key="a", title="a fails", detail="since lunch", url="http://ui/a")
    notify(settings, "test", [shown, _alert("b")])
    assert receiver.take() == [
        ":red_circle: *a fails*: since lunch <http://ui/a|open>",
        ":red_circle: *b fails*",
    ]
    notify(settings, "test", [_alert("a", "other words"), _alert("b")])
    assert receiver.take() == []
    notify(settings, "test", [_alert("b")])
    assert receiver.take() == [":large_green_circle: over: *a fails*: other words"]
    notify(settings, "test", [_alert("a"), _alert("b")])
    assert receiver.take() == [":red_circle: *a fails*"]


def test_what_lasts_is_told_again(settings: Settings, receiver: Receiver) -> None:
    notify(settings, "test", [_alert("a")])
    receiver.take()
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(text("update quality.alerts set told_at = told_at - interval '61 minutes'"))
    for expected in ([":hourglass: still: *a fails*: worse"], []):
        notify(settings, "test", [_alert("a", "worse")])
        assert receiver.take() == expected


def test_sources_leave_each_other_s_problems_alone(settings: Settings, receiver: Receiver) -> None:
    notify(settings, "one", [_alert("a")])
    notify(settings, "two", [_alert("a")])
    assert receiver.take() == [":red_circle: *a fails*"] * 2
    notify(settings, "two", [])
    assert receiver.take() == [":large_green_circle: over: *a fails*"]
    notify(settings, "one", [_alert("a")])
    assert receiver.take() == []


def test_what_is_unknown_now_stays_as_it_is(settings: Settings, receiver: Receiver) -> None:
    notify(settings, "test", [_alert("a")])
    receiver.take()
    notify(settings, "test", [], unknown={"a", "never heard of"})
    assert receiver.take() == []


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
    assert receiver.take() == [":red_circle: *a fails*"]


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
            opened = [f":red_circle: *{each} fails*" for each in is_open - notified]
            over = [f":large_green_circle: over: *{each} fails*" for each in notified - is_open]
            assert sorted(receiver.take()) == sorted(opened + over)
            notified = set(is_open)
        else:
            with pytest.raises(CtrError):
                notify(settings, "test", [_alert(each) for each in wrong], unknown)
