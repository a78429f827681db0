"""The health page: which services answer, how the job is, who looks after it, and what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, text

from ctr_platform.defs.alerts.heartbeats import record_heartbeat
from ctr_platform.devstack.ports import load_ports
from tests.support.isolation import use_settings
from tests.support.pages import alternatives, charts, csv_rows, metrics, open_page, run, said
from tests.support.stores import writing_engine
from warehouse.models.alerts import AlertMute, AlertRow
from warehouse.models.operation import SUPERVISOR, WATCHDOG, JobMetricsRow

if TYPE_CHECKING:
    from pathlib import Path

    from contract.settings import Settings
    from tests.dashboard.app_pages.conftest import Files
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

JOB = "c0ffee"


def put_job_metrics(settings: Settings, ages_s: tuple[float, ...], **changes: Any) -> None:
    """Looks at the job, so many seconds ago."""
    now = datetime.now(tz=UTC)
    looks = [
        {
            "observed_at": now - timedelta(seconds=age_s),
            "job_id": JOB,
            "checkpoint_age_s": 12.0,
            "checkpoint_duration_ms": 340,
            "checkpoint_bytes": 3 << 20,
            "checkpoints_completed": 99,
            "checkpoints_failed": 1,
            "records_waiting": 1_234,
            "watermark_lag_s": 10.25,
            "busy_percent": 40.0,
            "backpressured_percent": 1.5,
            "heap_percent": 61.0,
            **changes,
        }
        for age_s in ages_s
    ]
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(insert(JobMetricsRow), looks)


def test_services_that_answer_and_those_that_do_not(
    stores: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ports = load_ports(tmp_path / "ports.json", free=True)
    absent = stores.with_settings(
        kafka_bootstrap_servers=f"127.0.0.1:{ports['kafka']}",
        schema_registry_url=f"http://127.0.0.1:{ports['registry']}",
        flink_rest_url=f"http://127.0.0.1:{ports['jobmanager']}",
    )
    settings = use_settings(monkeypatch, absent)
    table = open_page("health").dataframe[0].value.set_index("service")
    state = {service: table.loc[service, "state"][0] for service in table.index}
    assert state == {
        "Kafka": "does not answer",
        "Schema Registry": "does not answer",
        "Flink": "does not answer",
        "Redis": "answers",
        "Postgres": "answers",
    }
    assert table.loc["Redis", "address"] == f"{settings.redis_host}:{settings.redis_port}"
    assert table.loc["Redis", "took"] > 0
    assert "refused" in table.loc["Kafka", "address"]
    assert table["took"].isna().sum() == 3


def test_the_job_is_told_by_its_newest_look(settings: Settings, files: Files) -> None:
    # Of the future, or a slow machine would make it old.
    put_job_metrics(settings, (60, 30), checkpoints_failed=0)
    put_job_metrics(settings, (-600,))
    page = open_page("health")
    assert f"{JOB}, looked at" in said(page)
    assert metrics(page) == {
        "Checkpoint age": ["12.0 s"],
        "Checkpoint size": ["3.0 MiB"],
        "Checkpoints failed": ["1 of 100"],
        "Consumer lag": ["1,234"],
        "Watermark lag": ["10.2 s"],
        "Backpressured": ["1.50%"],
    }
    drawn = charts(page)
    assert set(drawn) == {"consumer-lag", "watermark-lag", "load", "checkpoints"}
    assert drawn["consumer-lag"]["data"][0]["y"] == [1_234] * 3
    assert {line["name"]: line["y"][-1] for line in drawn["load"]["data"]} == {
        "Busy": 40,
        "Backpressured": 1.5,
        "Heap": 61,
    }
    assert alternatives(page)["consumer-lag"] == "Consumer lag in the last hour; now Consumer lag: 1,234.0"
    rows = csv_rows(files["load.csv"])
    assert [(row["Busy"], row["Heap"]) for row in rows] == [("40.0", "61.0")] * 3


def test_what_was_not_measured_is_left_open(settings: Settings) -> None:
    put_job_metrics(settings, (-600,), records_waiting=None, watermark_lag_s=None, checkpoint_bytes=None)
    page = open_page("health")
    assert [metrics(page)[name] for name in ("Consumer lag", "Watermark lag", "Checkpoint size")] == [
        ["—"]
    ] * 3
    assert charts(page)["consumer-lag"]["data"][0]["y"] == [None]
    assert alternatives(page)["consumer-lag"].endswith("Consumer lag: -")


def test_a_job_that_nobody_has_seen_of_late_is_no_job(settings: Settings) -> None:
    put_job_metrics(settings, (300, 285))
    page = open_page("health")
    assert ":red[:material/error:] No job was seen in the last minute." in said(page)
    assert not page.metric
    # The last hour stays.
    assert len(charts(page)) == 4


def test_nobody_has_ever_looked(settings: Settings) -> None:
    del settings
    page = open_page("health")
    assert said(page).count("has never looked") == 3
    assert "No job was seen in the last minute." in said(page)
    assert "No alert is open." in said(page)
    assert not charts(page)


def test_heartbeats_that_are_old_are_red(settings: Settings) -> None:
    for name in (SUPERVISOR, WATCHDOG):
        record_heartbeat(settings, name, f"{name} saw [x](y) *that*")
    page = open_page("health")
    assert said(page).count(":green[:material/check_circle:] **") == 2
    # What a watcher wrote is no markup.
    assert "supervisor saw \\[x\\]\\(y\\) \\*that\\*" in said(page)
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(
            text("UPDATE quality.heartbeats SET beat_at = now() - interval '10 min' WHERE name = 'watchdog'")
        )
    run(page)
    assert ":green[:material/check_circle:] **Supervisor of the job**" in said(page)
    assert ":red[:material/error:] **Watchdog of both**: looked 10 minutes ago" in said(page)


def test_open_alerts_are_shown_until_they_are_over(settings: Settings) -> None:
    opened = datetime(2026, 3, 5, 14, 5, 9, tzinfo=UTC)
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(
            insert(AlertRow),
            [
                {
                    "source": "watchdog",
                    "key": key,
                    "title": f"{key} is ill",
                    "detail": "see the log",
                    "url": "",
                    "opened_at": opened,
                    "recovered_at": recovered,
                }
                for key, recovered in (("lag", None), ("old", opened))
            ],
        )
    page = open_page("health", {"tz": "Asia/Seoul"})
    assert (
        ":red[:material/notifications_active:] **lag is ill** since Mar 5, 2026 23:05:09 Asia/Seoul"
        in said(page)
    )
    assert "old is ill" not in said(page)
    assert "No alert is open." not in said(page)
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(text("UPDATE quality.alerts SET recovered_at = now()"))
    assert "No alert is open." in said(run(page))


def test_an_alert_says_who_has_it_in_hand_and_until_when_it_is_muted(settings: Settings) -> None:
    moment = datetime(2126, 3, 5, 14, 5, 9, tzinfo=UTC)
    alert = {"source": "watchdog", "detail": "", "url": "", "opened_at": datetime(2026, 3, 5, tzinfo=UTC)}
    taken = {"acknowledged_at": moment, "acknowledged_by": "kim", "acknowledged_why": "a *disk* is full"}
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(insert(AlertRow).values({**alert, **taken, "key": "a", "title": "a is ill"}))
        connection.execute(insert(AlertRow).values({**alert, "key": "b_c", "title": "b is ill"}))
        connection.execute(
            insert(AlertMute).values(
                pattern="b_*", matches=r"b\_%", muted_until=moment, muted_by="kim", why="a move"
            )
        )
    shown = said(open_page("health", {"tz": "UTC"}))
    assert ":orange[:material/assignment_ind:] **a is ill**" in shown
    assert r"acknowledged by kim: a \*disk\* is full" in shown
    assert ":gray[:material/notifications_off:] **b is ill**" in shown
    assert "muted until Mar 5, 2126 14:05:09" in shown
    assert "ctr alerts acknowledge" in shown


def test_there_are_links_to_where_more_is_seen(settings: Settings) -> None:
    page = open_page("health")
    assert {link.value: link.url for link in page.link_button} == {
        "Dagster": settings.dagster_ui_url,
        "Flink": settings.flink_ui_url or settings.flink_rest_url,
        "Quality report": settings.quality_url,
    }
