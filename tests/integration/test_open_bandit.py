"""The example's log through the whole platform: every figure is a plain count of its file."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ctr_platform.defs.data_quality.evidence import gather
from ctr_platform.defs.data_quality.report import judge
from ctr_platform.defs.reconciliation.run import recount
from ctr_platform.loadgen.replay import ReplayRequest, replay
from ctr_platform.loadgen.stop import Stop
from tests.oracle import MINUTE_MS
from tests.support.documents import ROOT
from tests.support.pipeline import SECONDS, pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.pipeline import Pipeline
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "obd_sample.csv"

Segment = tuple[int, int, str]


@pytest.fixture
def job(stack: RunningStack, warm_submissions: Submitter) -> Iterator[Pipeline]:
    """The example's stream."""
    if not SAMPLE.is_file():
        pytest.skip("the Open Bandit sample is not beside the checkout at ../shared/data/obd_sample.csv")
    with pipeline(stack, warm_submissions, ctr_stream=ROOT / "examples" / "open_bandit", **SECONDS) as made:
        yield made


def _counted_by_hand() -> list[dict[Segment, tuple[int, int]]]:
    """Impressions and clicks by segment, of each hour of the file that has any, in their order."""
    impressions: dict[str, Counter[Segment]] = {}
    clicks: dict[str, Counter[Segment]] = {}
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            hour = row["timestamp"][:13]
            segment = int(row["item_id"]), int(row["position"]), row["user_feature_0"].strip() or "unknown"
            impressions.setdefault(hour, Counter())[segment] += 1
            clicks.setdefault(hour, Counter())[segment] += int(row["click"])
    return [
        {segment: (number, clicks[hour][segment]) for segment, number in impressions[hour].items()}
        for hour in sorted(impressions)
    ]


def _windows(job: Pipeline, relation: str) -> dict[int, dict[Segment, tuple[int, int]]]:
    """What a relation holds, by start of the window in ms."""
    found: dict[int, dict[Segment, tuple[int, int]]] = {}
    for start, item, position, feature, impressions, clicks in job.query(
        "select (extract(epoch from window_start) * 1000)::bigint, item_id, position, user_feature_0,"
        f" impressions, clicks from {relation}"
    ):
        found.setdefault(start, {})[item, position, feature] = (impressions, clicks)
    return dict(sorted(found.items()))


def _in_fives(
    minutes: dict[int, dict[Segment, tuple[int, int]]],
) -> dict[int, dict[Segment, tuple[int, int]]]:
    fives: dict[int, dict[Segment, tuple[int, int]]] = {}
    for start, segments in minutes.items():
        five = fives.setdefault(start - start % (5 * MINUTE_MS), {})
        for segment, (impressions, clicks) in segments.items():
            known = five.get(segment, (0, 0))
            five[segment] = (known[0] + impressions, known[1] + clicks)
    return fives


def _closed(
    found: dict[int, dict[Segment, tuple[int, int]]], wanted: dict[int, dict[Segment, tuple[int, int]]]
) -> dict[int, dict[Segment, tuple[int, int]]]:
    """Without a window that has closed since."""
    return {start: each for start, each in found.items() if start <= max(wanted)}


def test_every_window_and_segment_is_a_plain_count_of_the_file(job: Pipeline, tmp_path: Path) -> None:
    job.submit()
    settings = job.settings
    done = replay(
        settings,
        settings.declared_stream(),
        ReplayRequest(path=SAMPLE, past=True),
        stop=Stop(),
        on_bad=lambda line, reason: pytest.fail(f"{line}: {reason}"),
        on_start=lambda _plan: None,
        on_progress=lambda _delivery: None,
    )
    assert (done.rows, done.clicks, done.bad_rows) == (10_000, 46, 0)
    by_hand = _counted_by_hand()
    minutes = {done.hours[0].span_start_ms + MINUTE_MS * place: each for place, each in enumerate(by_hand)}
    # The last window of five minutes may end after the log does: it closes by the clock.
    until = max(minutes) + MINUTE_MS
    fives = {start: each for start, each in _in_fives(minutes).items() if start + 5 * MINUTE_MS <= until}
    wanted = {"1min": minutes, "5min": fives}
    for window_type, windows in wanted.items():
        view = f"realtime.segments_{window_type}"
        job.eventually(lambda: _closed(_windows(job, view), windows) == windows, view)  # noqa: B023 - now
    totals = "select sum(total_impressions)::int, sum(total_clicks)::int from realtime.metrics_1min"
    assert job.query(totals) == [(10_000, 46)]

    def read() -> int:
        recount(settings)
        return int(job.query("select coalesce(sum(counted), 0)::int from quality.recount_progress")[0][0])

    job.eventually(lambda: read() == 10_000, "the recount")
    accuracy = (
        "select window_type, count(*)::int, min(accuracy)::float from quality.window_accuracy group by 1"
    )
    verified = {kind: (windows, lowest) for kind, windows, lowest in job.query(accuracy)}
    assert verified["1min"] == (len(minutes), 100.0)
    assert verified["5min"][0] >= len(fives)
    assert verified["5min"][1] == 100.0
    verdicts = judge(
        settings.model_copy(update={"quality_dir": tmp_path}), gather(settings), "20260101T000000Z"
    )
    assert not [each.rule.name for each in verdicts if each.unjudged or not each.passed]
