"""A click log through a real broker: every hour's figures are those of the windows it was spread to."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError
from ctr_platform.defs.registry.subject import ensure_subject
from ctr_platform.loadgen.encoder import EventWriter
from ctr_platform.loadgen.replay import ReplayReport, ReplayRequest, replay
from ctr_platform.loadgen.schedule import now_ms
from ctr_platform.loadgen.stop import Stop
from tests.oracle import expect, read_topic

if TYPE_CHECKING:
    from contract.settings import Settings
    from ctr_platform.loadgen.producer import Delivery
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

MINUTE_MS = 60_000
SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "avazu_sample.csv"
HEADER = "id,click,hour,C1,banner_pos,site_id,site_category,device_ip,device_type"


@pytest.fixture
def sample() -> Path:
    if not SAMPLE.is_file():
        pytest.skip("the Avazu sample is not beside the checkout at ../shared/data/avazu_sample.csv")
    return SAMPLE


def log(folder: Path, rows: list[tuple[str, int, int]]) -> Path:
    """A log of (id, click, hour)."""
    path = folder / "log.csv"
    lines = [f"{name},{click},{hour},1005,0,s,f028772b,ip,1" for name, click, hour in rows]
    path.write_text("\n".join([HEADER, *lines]))
    return path


def run(settings: Settings, path: Path, *, hour_as_ms: int = MINUTE_MS, past: bool = False) -> ReplayReport:
    return replay(
        settings,
        settings.declared_stream(),
        ReplayRequest(path=path, hour_as_ms=hour_as_ms, past=past),
        stop=Stop(),
        on_bad=lambda _line, _reason: None,
        on_start=lambda _plan: None,
        on_progress=lambda _delivery: None,
    )


def test_the_sample_s_hours_equal_their_windows(kafka_settings: Settings, sample: Path) -> None:
    report = run(kafka_settings, sample, past=True)
    assert (report.rows, report.clicks, report.bad_rows, report.foreign) == (23_299, 3_982, 0, 0)
    assert report.delivery.complete
    expected = expect(kafka_settings)
    assert (expected.records, len(expected.late), len(expected.dead)) == (23_299, 0, 0)

    log_rows: Counter[int] = Counter()
    log_clicks: Counter[int] = Counter()
    with sample.open(newline="") as file:
        for row in csv.DictReader(file):
            log_rows[int(row["hour"])] += 1
            log_clicks[int(row["hour"])] += int(row["click"])
    impressions: Counter[int] = Counter()
    clicks: Counter[int] = Counter()
    for (start, _category, _device), (window_impressions, window_clicks) in expected.windows(1).items():
        impressions[start] += window_impressions
        clicks[start] += window_clicks
    assert {each.hour: each.rows for each in report.hours} == log_rows
    assert {each.span_start_ms: each.rows for each in report.hours} == impressions
    assert {each.span_start_ms: log_clicks[each.hour] for each in report.hours} == clicks
    assert report.hours[-1].span_end_ms <= now_ms()


def test_columns_arrive_unchanged_and_in_event_time_order(kafka_settings: Settings, sample: Path) -> None:
    run(kafka_settings, sample, past=True, hour_as_ms=2 * MINUTE_MS)
    with sample.open(newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    times: dict[int | None, list[int]] = defaultdict(list)
    writer = EventWriter(kafka_settings.declared_stream(), ensure_subject(kafka_settings).id)
    for message in read_topic(kafka_settings, kafka_settings.raw_topic):
        value = message.value or b""
        length = value[5] // 2
        row = rows.pop(value[6 : 6 + length].decode())
        timestamp = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(value[-6:])) >> 1
        texts = {"id", *(name for name in row if name.startswith(("site_", "app_")))}
        texts |= {"device_id", "device_ip", "device_model"}
        event = {name: cell if name in texts else int(cell) for name, cell in row.items()}
        assert value == writer.encode({**event, "timestamp": timestamp})
        times[message.partition].append(timestamp)
    assert not rows
    assert all(each == sorted(each) for each in times.values())
    sizes = [len(each) for each in times.values()]
    assert max(sizes) - min(sizes) <= 1


def test_a_second_replay_of_the_past_is_refused(kafka_settings: Settings, tmp_path: Path) -> None:
    path = log(tmp_path, [("a", 0, 14102100), ("b", 1, 14102101)])
    run(kafka_settings, path, past=True)
    with pytest.raises(CtrError, match="would be late"):
        run(kafka_settings, path, past=True)


def test_a_live_replay_is_sent_at_its_event_times(kafka_settings: Settings, tmp_path: Path) -> None:
    rows = [(f"{hour}-{number}", number % 2, hour) for hour in (14102100, 14102105) for number in range(10)]
    report = run(kafka_settings, log(tmp_path, rows), hour_as_ms=1500)
    assert [(each.hour, each.rows, each.clicks) for each in report.hours] == [
        (14102100, 10, 5),
        (14102105, 10, 5),
    ]
    first, second = report.hours
    assert first.span_end_ms == second.span_start_ms
    assert second.first_event_ms == second.span_start_ms
    assert second.last_event_ms == second.span_start_ms + 1350
    for message in read_topic(kafka_settings, kafka_settings.raw_topic):
        value = message.value or b""
        timestamp = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(value[-6:])) >> 1
        # Never before its moment; how soon after it, a loaded machine decides.
        assert message.timestamp_ms >= timestamp


def test_a_log_out_of_order_is_sorted(kafka_settings: Settings, tmp_path: Path) -> None:
    rows = [("b1", 1, 14102101), ("a1", 0, 14102100), ("b2", 1, 14102101), ("a2", 0, 14102100)]
    report = run(kafka_settings, log(tmp_path, rows), hour_as_ms=1000, past=True)
    assert [(each.hour, each.rows, each.clicks) for each in report.hours] == [
        (14102100, 2, 0),
        (14102101, 2, 2),
    ]
    assert not expect(kafka_settings).late


def test_other_traffic_meanwhile_is_reported(kafka_settings: Settings, tmp_path: Path) -> None:
    path = log(tmp_path, [(str(number), 0, 14102100) for number in range(10)])
    inner: list[ReplayReport] = []
    outer = replay(
        kafka_settings,
        kafka_settings.declared_stream(),
        ReplayRequest(path=path, hour_as_ms=1000, past=True),
        stop=Stop(),
        on_bad=lambda _line, _reason: None,
        on_start=lambda _plan: inner.append(run(kafka_settings, path, hour_as_ms=1000)),
        on_progress=lambda _delivery: None,
    )
    assert (inner[0].foreign, outer.foreign) == (None, 10)
    assert (inner[0].rows, outer.rows, outer.delivery.delivered) == (10, 10, 10)


def test_a_stop_ends_a_live_replay_with_what_was_sent(kafka_settings: Settings, tmp_path: Path) -> None:
    stop = Stop()
    rows = [(str(number), 1, 14102100) for number in range(1000)]

    def stop_at_the_first(delivery: Delivery) -> None:
        if delivery.delivered and not stop.requested:
            stop.request()

    report = replay(
        kafka_settings,
        kafka_settings.declared_stream(),
        ReplayRequest(path=log(tmp_path, rows), hour_as_ms=59_999),
        stop=stop,
        on_bad=lambda _line, _reason: None,
        on_start=lambda _plan: None,
        on_progress=stop_at_the_first,
    )
    assert 0 < report.rows < 1000
    assert report.rows == report.clicks == report.delivery.delivered == expect(kafka_settings).records


@pytest.mark.parametrize("hour_as_ms", [999, 60 * MINUTE_MS + 1])
def test_spans_have_bounds(kafka_settings: Settings, tmp_path: Path, hour_as_ms: int) -> None:
    with pytest.raises(CtrError, match="--hour-as"):
        run(kafka_settings, log(tmp_path, [("a", 0, 14102100)]), hour_as_ms=hour_as_ms)


def test_a_log_without_a_good_row_is_refused(kafka_settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(CtrError, match="no row"):
        run(kafka_settings, log(tmp_path, [("a", 7, 14102100)]))


def test_the_command_names_bad_rows_and_sums_up(
    brokers: RunningStack, kafka_settings: Settings, tmp_path: Path
) -> None:
    path = log(tmp_path, [("a", 0, 14102100), ("b", 7, 14102100), ("c", 1, 14102100)])
    done = subprocess.run(
        [sys.executable, "-m", "ctr_platform", "replay", str(path), "--past", "--json"],
        env=brokers.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{path}:3: click is 7, not 0 or 1" in done.stderr
    report = json.loads(done.stdout)
    assert (report["rows"], report["clicks"], report["bad_rows"]) == (2, 1, 1)
    assert expect(kafka_settings).records == 2
    missing = subprocess.run(
        [sys.executable, "-m", "ctr_platform", "replay", str(tmp_path / "none.csv")],
        env=brokers.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == f"ctr: {tmp_path / 'none.csv'}: there is no such file.\n"
