"""The example's declaration reads the dataset that it is made for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from contract.stream.load import load_stream
from ctr_platform.loadgen.click_log import read_rows
from ctr_platform.loadgen.encoder import EventWriter
from ctr_platform.loadgen.own_fields import OwnFields
from ctr_platform.loadgen.synthetic import events_of
from tests.support.documents import ROOT

FOLDER = ROOT / "examples" / "open_bandit"
SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "obd_sample.csv"


def test_every_row_of_the_sample_is_an_event() -> None:
    if not SAMPLE.is_file():
        pytest.skip("the Open Bandit sample is not beside the checkout at ../shared/data/obd_sample.csv")
    stream = load_stream(FOLDER)
    bad: dict[int, str] = {}
    rows = list(read_rows(SAMPLE, stream, bad.__setitem__))
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
