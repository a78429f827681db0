"""People take alerts in hand and mute them: from a shell, and by Dagster's jobs."""

# Dagster reads the annotations of resources, so they must not be postponed.
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import literal, select, text

from contract.errors import UsageError
from contract.settings import Settings
from ctr_platform.defs.alerts.alert import Alert
from ctr_platform.defs.alerts.jobs import ACKNOWLEDGE_JOB, MUTE_JOB
from ctr_platform.defs.alerts.notify import notify
from ctr_platform.defs.alerts.responses import acknowledge, like_pattern, mute, unmute
from ctr_platform.resources import Platform
from tests.support.isolation import use_settings
from tests.support.receiver import Receiver
from tests.support.stack import RunningStack
from tests.support.stores import writing_engine
from warehouse.quality_reads import QualityRecords

DISK = Alert(key="check:redis/metrics_1min:full", title="the disk is full")
JOB = Alert(key="job:stop", title="the job stop failed")
HOUR = timedelta(hours=1)

Ctr = Callable[..., subprocess.CompletedProcess[str]]
"""`ctr alerts` with these arguments."""


def told(settings: Settings, receiver: Receiver, *alerts: Alert) -> list[str]:
    """Titles of what people are notified of now, each behind its mark."""
    notify(settings, "test", alerts)
    return sorted(f"{line.split(':')[1]} {line.split('*')[1]}" for line in receiver.take())


def an_hour_later(settings: Settings) -> None:
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(text("update quality.alerts set told_at = told_at - interval '61 minutes'"))


def end_mutes(settings: Settings) -> None:
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(text("update quality.alert_mutes set muted_until = now()"))


def test_what_somebody_has_in_hand_is_not_repeated_until_it_is_over(
    settings: Settings, receiver: Receiver
) -> None:
    assert len(told(settings, receiver, DISK, JOB)) == 2
    assert acknowledge(settings, DISK.key, by="kim", why="ordered one", dry_run=True).keys == [DISK.key]
    an_hour_later(settings)
    assert len(told(settings, receiver, DISK, JOB)) == 2, "a dry run changes nothing"
    assert acknowledge(settings, DISK.key, by="kim", why="ordered one").keys == [DISK.key]
    an_hour_later(settings)
    assert told(settings, receiver, DISK, JOB) == ["hourglass the job stop failed"]
    assert told(settings, receiver, JOB) == ["large_green_circle the disk is full"]
    assert told(settings, receiver, DISK, JOB) == ["red_circle the disk is full"], "it is another one"
    an_hour_later(settings)
    assert len(told(settings, receiver, DISK, JOB)) == 2


def test_what_is_muted_is_told_when_that_ends(settings: Settings, receiver: Receiver) -> None:
    assert mute(settings, "check:redis/*", HOUR, by="kim", why="a move").keys == []
    assert told(settings, receiver, DISK, JOB) == ["red_circle the job stop failed"]
    mute(settings, "job:*", HOUR, by="kim", why="a move", dry_run=True)
    an_hour_later(settings)
    assert told(settings, receiver, DISK, JOB) == ["hourglass the job stop failed"], "that was a dry run"
    assert mute(settings, "job:*", HOUR, by="kim", why="a move").keys == [JOB.key]
    an_hour_later(settings)
    assert told(settings, receiver, DISK) == [], "neither what lasts nor what is over"
    assert unmute(settings, "job:*").keys == []
    assert told(settings, receiver, DISK) == ["large_green_circle the job stop failed"]
    end_mutes(settings)
    assert told(settings, receiver, DISK) == ["red_circle the disk is full"]


def test_what_came_and_went_while_it_was_muted_is_nobodys_business(
    settings: Settings, receiver: Receiver
) -> None:
    mute(settings, "*", HOUR, by="kim", why="a move")
    assert told(settings, receiver, DISK) == []
    assert told(settings, receiver) == []
    unmute(settings, "*")
    assert told(settings, receiver) == []


def test_a_request_that_makes_no_sense_is_refused(settings: Settings) -> None:
    notify(settings, "test", [DISK])
    with pytest.raises(UsageError, match=f"no open alert has the key disk; open are: {DISK.key}"):
        acknowledge(settings, "disk", by="kim", why="ordered one")
    with pytest.raises(UsageError, match="who you are and why"):
        acknowledge(settings, DISK.key, by="kim", why=" ")
    for duration in (timedelta(), timedelta(days=31)):
        with pytest.raises(UsageError, match="30 days at most"):
            mute(settings, "*", duration, by="kim", why="a move")
    with pytest.raises(UsageError, match="which alerts"):
        mute(settings, " ", HOUR, by="kim", why="a move")
    mute(settings, "job:*", HOUR, by="kim", why="a move")
    with pytest.raises(UsageError, match=r"job:stop is not muted; muted are: job:\*"):
        unmute(settings, "job:stop")


@given(
    prefix=st.text(alphabet="ab%_\\*", max_size=6),
    key=st.text(alphabet="ab%_\\", max_size=6),
)
@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_only_the_asterisk_stands_for_others(settings: Settings, prefix: str, key: str) -> None:
    def matches(pattern: str, text_: str) -> bool:
        if not pattern:
            return not text_
        if pattern[0] == "*":
            return any(matches(pattern[1:], text_[cut:]) for cut in range(len(text_) + 1))
        return text_[:1] == pattern[0] and matches(pattern[1:], text_[1:])

    with writing_engine(settings.postgres_url).connect() as connection:
        found = connection.scalar(select(literal(key).like(like_pattern(prefix))))
    assert found is matches(prefix, key)


@pytest.fixture
def ctr(stores: RunningStack, settings: Settings) -> Ctr:
    del settings

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ctr_platform", "alerts", *arguments],
            env=stores.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_all_of_it_is_done_from_a_shell(settings: Settings, ctr: Ctr) -> None:
    assert "No alert is open." in ctr("list").stdout
    notify(settings, "test", [DISK, JOB])
    done = ctr("acknowledge", JOB.key, "--why", "looking", "--by", "kim")
    assert (done.returncode, done.stdout) == (0, "acknowledged; open alerts: job:stop\n"), done.stderr
    done = ctr("mute", "check:*", "--for", "2h", "--why", "a move", "--dry-run")
    assert done.stdout.startswith("dry run, nothing has changed: muted until 20"), done.stderr
    assert ctr("mute", "check:*", "--for", "2h", "--why", "[a] move", "--by", "kim").returncode == 0
    listed = ctr("list").stdout
    assert "job:stop  since 20" in listed
    assert "acknowledged by kim: looking" in listed
    assert "check:* by kim: [a] move" in listed
    muted, taken = sorted(
        map(json.loads, ctr("list", "--json").stdout.splitlines()), key=lambda row: row["key"]
    )
    assert (muted["key"], taken["acknowledged_by"], taken["muted_until"]) == (DISK.key, "kim", None)
    assert datetime.fromisoformat(muted["muted_until"]) > datetime.now(tz=UTC) + HOUR
    assert ctr("unmute", "check:*").stdout == f"no longer muted; open alerts: {DISK.key}\n"
    for arguments in (("unmute", "check:*"), ("acknowledge", "x", "--why", "y"), ("mute", "x", "--why", "y")):
        refused = ctr(*arguments)
        assert refused.returncode == 2, refused.stderr


def test_all_of_it_is_done_by_dagsters_jobs(
    settings: Settings, stores: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_settings(monkeypatch, stores)
    notify(settings, "test", [DISK])

    def run(job: dg.JobDefinition, **config: object) -> None:
        config = {"pattern": "*", "by": "kim", "why": "a move", **config}
        assert job.execute_in_process(
            run_config={"ops": {job.name: {"config": config}}}, resources={"platform": Platform()}
        ).success

    def state() -> tuple[bool, bool]:
        records = QualityRecords(settings.postgres_url)
        [alert] = records.open_alerts()
        records.close()
        return alert.acknowledged_at is not None, alert.muted_until is not None

    run(ACKNOWLEDGE_JOB)
    run(MUTE_JOB, minutes=5)
    assert state() == (False, False), "dry runs until somebody says otherwise"
    run(ACKNOWLEDGE_JOB, dry_run=False)
    run(MUTE_JOB, minutes=5, dry_run=False)
    assert state() == (True, True)
    run(MUTE_JOB, minutes=0, dry_run=False)
    assert state() == (True, False)
