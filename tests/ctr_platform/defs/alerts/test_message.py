"""Whatever categories, exceptions and addresses hold, a notification is one line per alert, and its own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.settings import Settings
from ctr_platform.defs.alerts.message import (
    MAX_DETAIL,
    alert_line,
    link,
    message,
    plain,
    recovery_line,
    statement,
)
from ctr_platform.defs.alerts.store import Notification, Notifications

BEGAN = datetime(2026, 1, 31, 9, 5, tzinfo=UTC)


def notification(**values: object) -> Notification:
    empty = dict.fromkeys(("key", "title", "detail", "url", "mend_url", "runbook"), "")
    nobody = dict.fromkeys(("recovered_at", "acknowledged_by", "acknowledged_why"))
    return Notification(**{"alert_id": 1, "opened_at": BEGAN, **empty, **nobody, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("windows_exact of quality/report", "windows_exact of quality/report"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("<https://evil.example|open>", "&lt;https://evil.example|open&gt;"),
        ("<!channel> wake up", "&lt;!channel&gt; wake up"),
        (
            "*bold* `code` ~gone~ _slanted_",
            "\u2217bold\u2217 \u02cbcode\u02cb \u223cgone\u223c \u02cdslanted\u02cd",
        ),
        ("__ASSET_JOB", "\u02cd\u02cdASSET_JOB"),
        ("first\nsecond\r\nthird\u2028fourth\x00\x1b[31m", "first second third fourth [31m"),
        ("right\u202eot tfel", "right ot tfel"),
        ("[open](https://evil.example)", "[open] (https://evil.example)"),
        (":large_green_circle: over", "\u2236large_green_circle: over"),
        ("at 10:30:15 of host:5432", "at 10:30:15 of host:5432"),
    ],
)
def test_text_of_others_is_shown_and_marks_nothing(text: str, shown: str) -> None:
    assert plain(text, 100) == shown


@given(st.text(), st.text())
def test_no_text_breaks_out_of_its_place(title: str, detail: str) -> None:
    line = statement(title, detail)
    assert len(line.splitlines()) == 1
    assert line.count("*") == 2
    assert not re.search(r"[<>`]", line)
    assert not re.search(r"&(?!amp;|lt;|gt;)", line)


def test_a_long_text_is_cut() -> None:
    line = statement("", "<" * 10_000)
    assert line.endswith("&lt;…")
    assert line.count("&lt;") == MAX_DETAIL - 1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://ui/assets/a?view=checks&checkDetail=b", "http://ui/assets/a?view=checks&amp;checkDetail=b"),
        ("http://ui/a|b>c<d e\n", "http://ui/a%7Cb%3Ec%3Cd%20e%0A"),
        ("http://ui/%2F/\u00fc", "http://ui/%2F/%C3%BC"),
    ],
)
def test_an_address_ends_where_its_link_does(url: str, shown: str) -> None:
    assert link(url, "open") == f"<{shown}|open>"


def test_a_runbook_with_an_address_is_a_link() -> None:
    alert = notification(title="a fails", runbook="a")
    assert alert_line(Settings(), "!", alert) == "! *a fails* (since 2026-01-31 09:05 UTC) docs/runbook.md#a"
    linked = Settings(runbook_url="https://wiki.example/ctr/runbook")
    assert alert_line(linked, "!", alert).endswith(" <https://wiki.example/ctr/runbook#a|runbook>")


def test_who_has_it_in_hand_and_how_long_it_lasted() -> None:
    taken = notification(title="a fails", acknowledged_by="kim")
    assert alert_line(Settings(), "!", taken).endswith("09:05 UTC, acknowledged by kim)")
    over = notification(title="a fails", recovered_at=BEGAN + timedelta(minutes=12))
    assert recovery_line(over) == ":large_green_circle: over: *a fails* (after 12 min)"
    assert message(Settings(), Notifications(recovered=[over])) == recovery_line(over)
