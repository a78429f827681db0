"""The example's declaration reads the dataset that it is made for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from contract.stream.load import load_stream
from ctr_platform.defs.reconciliation.decode import VALID, Decoder
from ctr_platform.defs.registry.client import registry_client
from ctr_platform.defs.registry.schemas import WriterSchemas
from ctr_platform.loadgen.click_log import read_rows
from ctr_platform.loadgen.encoder import EventWriter
from ctr_platform.loadgen.own_fields import OwnFields
from ctr_platform.loadgen.replay import ReplayRequest, replay
from ctr_platform.loadgen.stop import Stop
from ctr_platform.loadgen.synthetic import events_of
from tests.oracle import read_topic
from tests.support.documents import ROOT

if TYPE_CHECKING:
    from tests.support.stack import RunningStack

FOLDER = ROOT / "examples" / "open_bandit"
SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "obd_sample.csv"


@pytest.fixture
def sample() -> Path:
    if not SAMPLE.is_file():
        pytest.skip("the Open Bandit sample is not beside the checkout at ../shared/data/obd_sample.csv")
    return SAMPLE


def test_every_row_of_the_sample_is_an_event(sample: Path) -> None:
    stream = load_stream(FOLDER)
    bad: dict[int, str] = {}
    rows = list(read_rows(sample, stream, bad.__setitem__))
    assert bad == {}
    assert (len(rows), sum(row.click for row in rows)) == (10_000, 46)
    assert len({row.event["impression_id"] for row in rows}) == 10_000
    assert {row.event["position"] for row in rows} == {1, 2, 3}
    assert len({row.event["item_id"] for row in rows}) == 34
    assert len({row.hour for row in rows}) == 168
    # 2019-11-24 00:03:13.442536, the first one.
    assert (rows[0].hour, rows[0].within_us) == (19112400, 193_442_536)
    own, writer = OwnFields(stream), EventWriter(stream, 1)
    assert all(writer.encode(own.with_times(row.event, 1_770_000_000_000)) for row in rows)


def test_synthetic_events_are_of_the_same_kind() -> None:
    stream = load_stream(FOLDER)
    events = events_of(stream).draw(np.random.default_rng(0), 20_000)
    assert 0.002 < sum(each["click"] for each in events) / len(events) < 0.008
    assert set(Counter(each["position"] for each in events)) == {1, 2, 3}
    assert {each["item_id"] for each in events} == set(range(34))
    assert len(events_of(stream).known()) == 3


@pytest.mark.stack
def test_the_sample_is_replayed_hour_by_hour(brokers: RunningStack, sample: Path) -> None:
    settings = brokers.with_settings(ctr_stream=FOLDER).settings
    stream = settings.declared_stream()
    report = replay(
        settings,
        stream,
        ReplayRequest(path=sample, past=True),
        stop=Stop(),
        on_bad=lambda line, reason: pytest.fail(f"{line}: {reason}"),
        on_start=lambda _plan: None,
        on_progress=lambda _delivery: None,
    )
    assert settings.raw_topic.endswith(".impressions_raw")
    assert report.delivery.complete
    assert (report.rows, report.clicks, len(report.hours)) == (10_000, 46, 168)
    with registry_client(settings) as client:
        found = Decoder(stream, WriterSchemas(settings, client, kept=False).event_type).decode(
            [record.value for record in read_topic(settings, settings.raw_topic)]
        )
    assert (found.dead == VALID).all()
    assert found.click.sum() == 46
    minutes = Counter((found.timestamp_ms // 60_000 * 60_000).tolist())
    assert minutes == {each.span_start_ms: each.rows for each in report.hours}
