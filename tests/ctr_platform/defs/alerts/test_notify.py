"""Problems are told once when they begin, again while they last, and once when they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from ctr_platform.alerts.problem import Problem
from ctr_platform.alerts.tell import MAX_LINES, tell
from ctr_platform.errors import CtrError
from tests.support.stores import empty, silent_port, writing_engine
from warehouse.errors import WarehouseUnavailable

if TYPE_CHECKING:
    from ctr_platform.settings import Settings
    from tests.support.receiver import Receiver


def _problem(key: str, detail: str = "") -> Problem:
    return Problem(key=key, title=f"{key} fails", detail=detail)


def test_a_problem_is_told_when_it_begins_and_when_it_is_over(settings: Settings, receiver: Receiver) -> None:
    shown = Problem(key="a", title="a fails", detail="since lunch", url="http://ui/a")
    tell(settings, "test", [shown, _problem("b")])
    assert receiver.take() == [
        ":red_circle: *a fails*: since lunch <http://ui/a|open>",
        ":red_circle: *b fails*",
    ]
    tell(settings, "test", [_problem("a", "other words"), _problem("b")])
    assert receiver.take() == []
    tell(settings, "test", [_problem("b")])
    assert receiver.take() == [":large_green_circle: over: *a fails*: other words"]
    tell(settings, "test", [_problem("a"), _problem("b")])
    assert receiver.take() == [":red_circle: *a fails*"]


def test_what_lasts_is_told_again(settings: Settings, receiver: Receiver) -> None:
    tell(settings, "test", [_problem("a")])
    receiver.take()
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(text("update quality.alerts set told_at = told_at - interval '61 minutes'"))
    for expected in ([":hourglass: still: *a fails*: worse"], []):
        tell(settings, "test", [_problem("a", "worse")])
        assert receiver.take() == expected


def test_sources_leave_each_other_s_problems_alone(settings: Settings, receiver: Receiver) -> None:
    tell(settings, "one", [_problem("a")])
    tell(settings, "two", [_problem("a")])
    assert receiver.take() == [":red_circle: *a fails*"] * 2
    tell(settings, "two", [])
    assert receiver.take() == [":large_green_circle: over: *a fails*"]
    tell(settings, "one", [_problem("a")])
    assert receiver.take() == []


def test_what_is_unknown_now_stays_as_it_is(settings: Settings, receiver: Receiver) -> None:
    tell(settings, "test", [_problem("a")])
    receiver.take()
    tell(settings, "test", [], unknown={"a", "never heard of"})
    assert receiver.take() == []


def test_a_long_message_is_cut(settings: Settings, receiver: Receiver) -> None:
    tell(settings, "test", [_problem(f"{number:03}") for number in range(MAX_LINES + 5)])
    lines = receiver.take()
    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == "... and 5 more"


@pytest.mark.parametrize("status", [500, 404])
def test_what_the_webhook_does_not_take_is_told_the_next_time(
    settings: Settings, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    with pytest.raises(CtrError, match=f"status {status}") as refused:
        tell(settings, "test", [_problem("a")])
    assert "secret" not in str(refused.value)
    receiver.status = 200
    tell(settings, "test", [_problem("a")])
    assert receiver.take() == [":red_circle: *a fails*"]


def test_without_a_webhook_the_log_is_told(
    settings: Settings, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    quiet = settings.model_copy(update={"alert_webhook_url": type(settings.alert_webhook_url)("")})
    tell(quiet, "test", [_problem("a")])
    assert ":red_circle: *a fails*" in caplog.text
    assert receiver.take() == []


def test_a_warehouse_that_is_away_is_a_clear_error(settings: Settings) -> None:
    with silent_port() as port, pytest.raises(WarehouseUnavailable):
        tell(settings.model_copy(update={"postgres_port": port}), "test", [_problem("a")])


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
    told: set[str] = set()
    for wrong, unknown, delivered in [*steps, (set(), set(), True)]:
        is_open = wrong | (is_open & unknown)
        receiver.status = 200 if delivered else 503
        if is_open == told:
            tell(settings, "test", [_problem(each) for each in wrong], unknown)
            assert receiver.take() == []
        elif delivered:
            tell(settings, "test", [_problem(each) for each in wrong], unknown)
            opened = [f":red_circle: *{each} fails*" for each in is_open - told]
            over = [f":large_green_circle: over: *{each} fails*" for each in told - is_open]
            assert sorted(receiver.take()) == sorted(opened + over)
            told = set(is_open)
        else:
            with pytest.raises(CtrError):
                tell(settings, "test", [_problem(each) for each in wrong], unknown)
