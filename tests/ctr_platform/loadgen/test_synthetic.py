"""Synthetic events look like what the declaration describes, or like the schema where it is silent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import fastavro
import numpy as np
import pytest

from contract.errors import UsageError
from contract.stream.load import load_stream, shipped_stream
from ctr_platform.loadgen.encoder import EventWriter
from ctr_platform.loadgen.own_fields import OwnFields
from ctr_platform.loadgen.synthetic import events_of
from tests.support.streams import declare

if TYPE_CHECKING:
    from pathlib import Path

    from contract.stream.load import DeclaredStream
    from ctr_platform.loadgen.encoder import Event

COUNT = 40_000
NOW = 1_770_000_000_000


def drawn(stream: DeclaredStream, count: int = 1000) -> list[Event]:
    """Events that are whole but for id and time, as the schema has them."""
    events = events_of(stream).draw(np.random.default_rng(1), count)
    own = OwnFields(stream)
    writer = EventWriter(stream, 1)
    for event in events[:100]:
        assert not own.names & event.keys()
        whole = {**event, **own.values("x", NOW)}
        assert writer.encode(whole)
        assert fastavro.validate(whole, writer._schema)
    return events


def test_the_shipped_stream_has_the_shares_of_the_log() -> None:
    stream = shipped_stream()
    shares = stream.declaration.traffic.segments
    assert sum(share.impressions for share in shares) == 23_299
    assert sum(share.clicks for share in shares) == 3_982
    events = drawn(stream, COUNT)
    found = Counter((each["site_category"], each["device_type"]) for each in events)
    clicks = Counter((each["site_category"], each["device_type"]) for each in events if each["click"])
    assert abs(clicks.total() / COUNT - 3_982 / 23_299) < 0.01
    for share in shares[:6]:
        segment = (str(share.values["site_category"]), int(share.values["device_type"]))
        assert abs(found[segment] / COUNT - share.impressions / 23_299) < 0.01
        assert abs(clicks[segment] / found[segment] - share.clicks / share.impressions) < 0.05
    sizes = {(each["C15"], each["C16"]) for each in events}
    assert sizes == {(320, 50), (300, 250), (216, 36), (728, 90)}
    assert {each["C20"] for each in events} >= {-1, 100084}


def test_the_known_segments_are_the_largest_and_always_the_same() -> None:
    known = events_of(shipped_stream()).known()
    assert known == events_of(shipped_stream()).known()
    assert [each.values for each in known] == [
        ("50e219e0", 1),
        ("f028772b", 1),
        ("28905ebd", 1),
        ("3e814130", 1),
        ("50e219e0", 0),
        ("50e219e0", 4),
    ]
    assert {(each.not_clicked["click"], each.clicked["click"]) for each in known} == {(0, 1)}
    assert known[0].clicked["C1"] == 1005


def test_without_a_word_events_are_made_up_from_the_schema(tmp_path: Path) -> None:
    stream = load_stream(declare(tmp_path))
    events = drawn(stream, 5000)
    assert {each["campaign"] for each in events} == {"a"}
    assert {each["position"] for each in events} == set(range(5))
    assert {each["kind"] for each in events} == {"VIEW", "CLICK"}
    assert len({each["cost"] for each in events}) > 100
    assert 0.03 < sum(each["clicked"] for each in events) / 5000 < 0.07
    known = events_of(stream).known()
    assert [each.values for each in known] == [("a", number) for number in range(5)]


@pytest.mark.parametrize(
    ("click", "yes", "no"),
    [
        ('{ field = "kind", equals = "CLICK" }', "CLICK", "VIEW"),
        ('{ field = "position" }', 1, 0),
    ],
)
def test_a_click_is_what_the_schema_has_for_it(tmp_path: Path, click: str, yes: object, no: object) -> None:
    stream = load_stream(declare(tmp_path, ('{ field = "clicked" }', click)))
    field = stream.declaration.event.click.field
    assert {each[field] for each in drawn(stream)} == {yes, no}


def test_what_is_described_is_drawn_so_and_the_rest_made_up(tmp_path: Path) -> None:
    traffic = """
[traffic]
times = { local = "us" }
ctr_percent = 50

[traffic.fields]
position = { range = [7, 9] }
campaign = { weights = { x = 1, y = 3 } }
"""
    stream = load_stream(declare(tmp_path, more=traffic))
    events = drawn(stream)
    assert {each["position"] for each in events} == {7, 8}
    found = Counter(each["campaign"] for each in events)
    assert 2 < found["y"] / found["x"] < 4
    assert 400 < sum(each["clicked"] for each in events) < 600
    assert OwnFields(stream).values("x", NOW)["local"] == NOW * 1000


def test_rows_of_a_sample_are_drawn_as_they_are(tmp_path: Path) -> None:
    folder = declare(tmp_path, more='[traffic]\nlike = "like.csv"\n')
    (folder / "like.csv").write_text(
        "clicked,campaign,position,kind,seconds,local,cost,rate\n"
        "true,a,1,VIEW,1,1,10,0.5\n0,b,2,CLICK,2,2,20,1e3\n0,b,2,CLICK,2,2,20,1e3\n"
    )
    stream = load_stream(folder)
    events = drawn(stream)
    assert {(each["clicked"], each["campaign"], each["rate"]) for each in events} == {
        (True, "a", 0.5),
        (False, "b", 1000.0),
    }
    assert [each.values for each in events_of(stream).known()] == [("b", 2), ("a", 1)]
    with (folder / "like.csv").open("a") as file:
        file.write("maybe,a,1,VIEW,1,1,10,0.5\n")
    with pytest.raises(UsageError, match=r"like.csv:5: clicked is 'maybe', not true or false"):
        events_of(stream)
