"""What is wrong in a store is in the evidence, and breaks the rules that speak of it, and no others."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import pandas as pd
import pytest
import redis
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from sqlalchemy import insert, text

from contract.errors import CtrError
from ctr_platform.defs.data_quality.evidence import Unjudged, gather
from ctr_platform.defs.data_quality.report import judge, make_report
from ctr_platform.defs.kafka import offset_ranges
from ctr_platform.defs.reconciliation.verify import hour_of
from flink.document_store import DocumentStore
from flink.documents import build, to_json
from tests.support.stores import silent_port, writing_engine
from tests.support.tables import DIMENSIONS, TABLES
from warehouse.models.accounting import LedgerRow
from warehouse.models.corrections import WindowRevision
from warehouse.models.recount import RecountProgress, WindowVerification
from warehouse.windows import epoch_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from contract.settings import Settings
    from ctr_platform.defs.data_quality.evidence import Evidence
    from warehouse.windows import WindowType

MINUTE: Final = timedelta(minutes=1)

SEGMENTS: Final = {("news", 1): (30, 7), ("games", 0): (11, 0), ("unknown", 4): (200, 199)}
"""Impressions and clicks by segment, in each of five minutes."""

FATES: Final = {"counted": 1205, "late": 3, "malformed": 2, "unknown_schema": 1, "invalid": 1}
RECORDS: Final = sum(FATES.values())


Counts = dict[tuple[str, int], tuple[int, int]]


@dataclass(frozen=True)
class Platform:
    """Stores that agree on five minutes that ended some minutes ago.

    In Redis the 1 min windows have expired, and that of 5 min has not.
    """

    settings: Settings
    start: datetime
    """Start of these minutes."""

    def sql(self, statements: str) -> None:
        """Change the warehouse; `:at` is the second of the minutes."""
        with writing_engine(self.settings.postgres_url).begin() as connection:
            for statement in statements.split(";"):
                connection.execute(text(statement), {"at": self.start + MINUTE})

    def evidence(self) -> Evidence:
        return gather(self.settings)

    def broken(self, folder: Path) -> set[str]:
        """Rules that have not passed."""
        settings = self.settings.model_copy(update={"quality_dir": folder})
        verdicts = judge(settings, self.evidence(), "20260101T000000Z")
        assert not any(each.unjudged for each in verdicts)
        return {each.rule.name for each in verdicts if not each.passed}

    def publish(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Put documents into the feed."""
        producer = Producer({"bootstrap.servers": self.settings.kafka_bootstrap_servers})
        for document in documents:
            key = f"{document['window_type']}:{document['window_id']}"
            producer.produce(self.settings.windows_topic, to_json(document).encode(), key.encode())
        assert producer.flush(30) == 0


@pytest.fixture
def platform(settings: Settings) -> Platform:
    """Stores and topics that no other test uses at the same time."""
    now = datetime.now(tz=UTC)
    made = Platform(
        settings=settings,
        start=hour_of(now) + now.minute // 5 * 5 * MINUTE - 10 * MINUTE,
    )
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    for created in admin.create_topics(
        [NewTopic(settings.raw_topic, 1), NewTopic(settings.windows_topic, 2)]
    ).values():
        created.result()
    five = {key: (5 * impressions, 5 * clicks) for key, (impressions, clicks) in SEGMENTS.items()}
    windows: list[tuple[WindowType, datetime, Counts]] = [
        *(("1min", made.start + minute * MINUTE, SEGMENTS) for minute in range(5)),
        ("5min", made.start, five),
    ]
    for window in windows:
        _fill(made, *window)
    _account(made)
    made.publish([_document(*window) for window in windows])
    store = DocumentStore(settings.redis_host, settings.redis_port, settings.redis_key_prefix)
    assert store.write(_document(*windows[-1]))
    store.close()
    return made


def _fill(made: Platform, kind: WindowType, at: datetime, counts: Counts) -> None:
    """A window as the job has counted it, and as the recount has verified it."""
    rows = [
        {
            "window_start": at,
            "site_category": category,
            "device_type": device,
            "impressions": impressions,
            "clicks": clicks,
        }
        for (category, device), (impressions, clicks) in counts.items()
    ]
    impressions, clicks = (sum(column) for column in zip(*counts.values(), strict=True))
    table, length = TABLES.counts[kind], MINUTE if kind == "1min" else 5 * MINUTE
    with writing_engine(made.settings.postgres_url).begin() as connection:
        connection.execute(insert(table), [{**row, "window_end": at + length} for row in rows])
        if kind == "1min":
            connection.execute(insert(TABLES.recount_counts), rows)
        connection.execute(
            insert(WindowVerification).values(
                window_type=kind,
                window_start=at,
                expected_impressions=impressions,
                actual_impressions=impressions,
                expected_clicks=clicks,
                actual_clicks=clicks,
                late=0,
                accuracy=100,
            )
        )


def _account(made: Platform) -> None:
    """One partition, read to offset `RECORDS` by the job and the recount."""
    known = {
        "topic": made.settings.raw_topic,
        "partition": 0,
        "first_offset": 0,
        "records_read": RECORDS,
        **FATES,
    }
    run = {"checkpoint_id": 1, "job_id": "job", "run_started_at": made.start}
    with writing_engine(made.settings.postgres_url).begin() as connection:
        connection.execute(insert(LedgerRow).values(**known, **run, last_offset=RECORDS - 1))
        connection.execute(insert(RecountProgress).values(**known, next_offset=RECORDS))


def _document(kind: WindowType, at: datetime, counts: Counts) -> Mapping[str, Any]:
    segments: dict[tuple[Any, ...], list[int]] = {key: list(value) for key, value in counts.items()}
    now_ms = time.time_ns() // 1_000_000
    return build(kind, epoch_ms(at), segments, DIMENSIONS, final=True, written_ms=now_ms)


def test_stores_that_agree_break_no_rule_and_every_row_is_looked_at(
    platform: Platform, tmp_path: Path
) -> None:
    assert platform.broken(tmp_path) == set()
    rows = {
        name: len(found) for name, found in platform.evidence().items() if not isinstance(found, Unjudged)
    }
    assert rows == {
        "accuracy": 6,
        "windows": 6,
        "cardinality": 6,
        "records": 1,
        "freshness": 1,
        "drift": 0,
        "redis": 1,
        "feed": 6,
    }


def test_the_report_is_where_its_links_lead(platform: Platform) -> None:
    report = make_report(platform.settings)
    assert (report.broken("critical"), report.broken("warning")) == (0, 0)
    for address in {report.url, *(each.page or "" for each in report.verdicts)}:
        assert "Quality report" in httpx.get(address).raise_for_status().text


def test_a_platform_without_windows_breaks_no_rule(settings: Settings, tmp_path: Path) -> None:
    assert Platform(settings, datetime.now(tz=UTC)).broken(tmp_path) == set()


_SEGMENT: Final = "window_start = :at and site_category = 'news'"
_FEED: Final = {f"feed_{what}" for what in ("impressions", "clicks", "ctr", "segments")}
_SUMS: Final = {"five_minutes_of_minutes"}


@pytest.mark.parametrize(
    ("falsify", "broken"),
    [
        (
            "delete from realtime.counts_1min where window_start = :at",
            {"windows_not_missing", "feed_impressions", "feed_clicks", "feed_segments"} | _SUMS,
        ),
        (
            f"update realtime.counts_1min set clicks = impressions + 1 where {_SEGMENT}",
            {"clicks_possible"} | _SUMS | _FEED - {"feed_impressions"},
        ),
        (
            "update realtime.counts_1min set clicks = 1000 * impressions where window_start = :at",
            {"clicks_possible"} | _SUMS | _FEED - {"feed_impressions"},
        ),
        (
            "update realtime.counts_1min set clicks = 3 * impressions where window_start = :at",
            {"clicks_possible", "ctr_possible"} | _SUMS | _FEED - {"feed_impressions"},
        ),
        (
            "update quality.window_accuracy_history set accuracy = 98.99 where window_start = :at",
            {"accuracy_alarm", "accuracy_exact"},
        ),
        (
            (
                "update quality.window_accuracy_history set accuracy = 98.99 where window_start = :at;"
                " insert into quality.inexact_windows (window_type, window_start, expected_impressions,"
                " actual_impressions, expected_clicks, actual_clicks, accuracy, acknowledged_at)"
                " select window_type, window_start, 0, 0, 0, 0, accuracy, now()"
                " from quality.window_accuracy_history where window_start = :at"
            ),
            set(),
        ),
        ("update quality.ledger set counted = counted - 1", {"records_accounted", "records_recounted"}),
        ("update quality.recount_progress set late = late + 1, counted = counted - 1", {"records_recounted"}),
        (
            (
                "insert into quality.ledger (topic, partition, first_offset, last_offset, checkpoint_id,"
                " records_read, counted, late, malformed, unknown_schema, invalid, job_id, run_started_at)"
                " select topic, partition, last_offset, last_offset, 2, 0, 0, 0, 0, 0, 0, job_id,"
                " run_started_at from quality.ledger"
            ),
            {"records_once"},
        ),
    ],
)
def test_a_falsified_warehouse_breaks_the_rules_that_speak_of_it(
    platform: Platform, tmp_path: Path, falsify: str, broken: set[str]
) -> None:
    platform.sql(falsify)
    assert platform.broken(tmp_path) == broken


def test_events_beyond_the_named_segments_are_a_warning_that_names_the_dimension(
    platform: Platform, tmp_path: Path
) -> None:
    for table in ("counts_1min", "counts_5min"):
        platform.sql(
            f"update realtime.{table} set site_category = 'other', device_type = -1"
            " where site_category = 'games'"
        )
    assert "segments_named" not in platform.broken(tmp_path), "somebody's own segment of that name"
    platform = replace(platform, settings=platform.settings.model_copy(update={"max_segments": 2}))
    assert "segments_named" in platform.broken(tmp_path)
    frame = platform.evidence()["cardinality"]
    assert isinstance(frame, pd.DataFrame)
    assert set(frame["most_values_in"]) == {"site_category"}
    assert set(frame["unnamed_impressions"]) == {11, 55}


def test_a_segment_that_is_stored_twice_is_found(platform: Platform, tmp_path: Path) -> None:
    table = "realtime.counts_1min"
    platform.sql(f"alter table {table} drop constraint counts_1min_pkey")
    try:
        platform.sql(f"insert into {table} select * from {table} where {_SEGMENT}")
        assert platform.broken(tmp_path) == {"segments_not_doubled"} | _SUMS | _FEED
    finally:
        platform.sql(
            f"truncate {table};"
            f"alter table {table} add constraint counts_1min_pkey"
            " primary key (window_start, site_category, device_type)"
        )


def test_a_rate_that_is_rounded_otherwise_is_found(platform: Platform, tmp_path: Path) -> None:
    """By its own rule alone: 85.4771... % is 85.48 in the documents."""
    engine = writing_engine(platform.settings.postgres_url)
    with engine.begin() as connection:
        kept = str(connection.scalar(text("select pg_get_functiondef('realtime.ctr'::regproc)")))
    platform.sql(
        "create or replace function realtime.ctr(clicks bigint, impressions bigint) returns numeric"
        " language sql immutable return trunc(100.0 * clicks / impressions, 2)"
    )
    try:
        assert platform.broken(tmp_path) == {"ctr_rounded"}
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(kept)


def test_a_rate_far_from_the_day_before_is_found(platform: Platform, tmp_path: Path) -> None:
    hour = hour_of(platform.start) - 60 * MINUTE
    row = "insert into realtime.counts_5min values ('{}', '{}', 'news', 1, 1000, {})"
    platform.sql("truncate realtime.counts_5min")
    for at, clicks in ((hour + 60 * MINUTE, 0), (hour, 151), (hour - 24 * 60 * MINUTE, 100)):
        platform.sql(row.format(at, at + 5 * MINUTE, clicks))
    drift = platform.evidence()["drift"]
    assert not isinstance(drift, Unjudged)
    [found] = drift.to_dict("records")
    assert (found["ctr"], found["ctr_before"], found["drift_percent"]) == (15.1, 10.0, 51.0)
    assert "ctr_as_the_day_before" in platform.broken(tmp_path)
    platform.sql("update realtime.counts_5min set clicks = 99 where clicks = 100")
    assert "ctr_as_the_day_before" not in platform.broken(tmp_path)


def test_redis_is_compared_with_the_warehouse(platform: Platform, tmp_path: Path) -> None:
    settings = platform.settings
    key = f"{platform.settings.redis_key_prefix}metrics:5min:{platform.start:%Y%m%dT%H%MZ}"
    with redis.Redis(settings.redis_host, settings.redis_port, decode_responses=True) as client:
        kept = str(client.get(key))
        assert "1205" in kept
        client.set(key, kept.replace("1205", "1206"))
        assert platform.broken(tmp_path) == {"redis_impressions"}
        client.set(key, kept.replace('["games",0,55,0]', '["games",0,54,0]'))
        assert platform.broken(tmp_path) == {"redis_segments"}
        client.delete(key)
        assert platform.broken(tmp_path) == {"redis_not_missing"}
        # The document of a window that was just revised is still that of its former revision.
        with writing_engine(settings.postgres_url).begin() as connection:
            revision = {"window_type": "5min", "window_start": platform.start, "revision": 1}
            connection.execute(insert(WindowRevision).values(**revision, published_revision=0))
        assert platform.broken(tmp_path) == set()
        platform.sql("update realtime.window_revisions set revised_at = now() - interval '3 minutes'")
        assert platform.broken(tmp_path) == {"redis_not_missing"}


def test_of_a_window_the_feed_s_highest_revision_counts(platform: Platform, tmp_path: Path) -> None:
    wrong = {key: (impressions + 1, clicks) for key, (impressions, clicks) in SEGMENTS.items()}
    document = _document("1min", platform.start, wrong)
    platform.publish([{**document, "revision": 1}, _document("1min", platform.start, SEGMENTS)])
    assert platform.broken(tmp_path) == {"feed_impressions", "feed_ctr", "feed_segments"}
    platform.publish([{**_document("1min", platform.start, SEGMENTS), "revision": 2}])
    assert platform.broken(tmp_path) == set()


def test_records_without_a_known_fate_grow_old(platform: Platform, tmp_path: Path) -> None:
    producer = Producer({"bootstrap.servers": platform.settings.kafka_bootstrap_servers})
    hour_ago_ms = int(time.time() - 3600) * 1000
    for number in range(RECORDS + 5):
        producer.produce(platform.settings.raw_topic, b"x", timestamp=hour_ago_ms if number >= RECORDS else 1)
    assert producer.flush(30) == 0
    assert platform.broken(tmp_path) == {"job_fresh", "recount_fresh"}
    platform.sql(f"update quality.recount_progress set next_offset = {RECORDS + 5}")
    assert platform.broken(tmp_path) == {"job_fresh"}


def test_stores_that_are_away_leave_their_rules_unjudged(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offset_ranges, "ANSWER_WITHIN_S", 1.0)
    with silent_port() as port:
        away = {
            "kafka_bootstrap_servers": f"127.0.0.1:{port}",
            "redis_port": port,
            "quality_dir": tmp_path,
        }
        report = make_report(platform.settings.model_copy(update=away))
        unjudged = {each.rule.name: each.unjudged or "" for each in report.verdicts if not each.passed}
    assert {name.split("_")[0] for name in unjudged} == {"redis", "feed", "job", "recount"}
    assert all(("Redis" if name.startswith("redis") else "Kafka") in why for name, why in unjudged.items())


def test_a_folder_that_cannot_be_written_is_a_clear_error(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    settings = platform.settings.model_copy(update={"quality_dir": file / "folder"})
    with pytest.raises(CtrError, match="QUALITY_DIR"):
        make_report(settings)
