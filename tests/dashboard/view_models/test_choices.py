"""Values to choose from: the largest first, labels that are told apart, also those of an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from contract.stream.load import shipped_stream
from dashboard.user_context.dimensions import shown_dimensions
from dashboard.view_models.choices import choices
from tests.dashboard.examples import english, segments_of

if TYPE_CHECKING:
    from dashboard.view_models.choices import Choices
    from warehouse.windows import Value

NAMES = {"site_category": {"50e219e0": "News"}, "device_type": {"1": "Mobile"}}
CATEGORY, DEVICE = shown_dimensions(shipped_stream(), NAMES)
SEGMENTS = segments_of(
    ("sports", 1, 50, 0), ("50e219e0", 1, 100, 0), ("sports", 0, 30, 0), ("other", None, 20, 0)
)


def _offered(*chosen: Value) -> Choices:
    return choices(english(), CATEGORY, SEGMENTS, chosen)


def test_the_largest_is_first_with_its_name_its_id_and_its_share() -> None:
    assert list(_offered().labels.items()) == [
        ("50e219e0", "News (50e219e0) · 50.0%"),
        ("sports", "sports · 40.0%"),
        ("other", "other · 10.0%"),
    ]
    devices = choices(english(), DEVICE, SEGMENTS, ())
    # What is beyond a document's limit has a share, but no value.
    assert devices.labels == {1: "Mobile (1) · 75.0%", 0: "0 · 15.0%"}


def test_what_is_chosen_is_offered_without_a_share_where_nobody_has_seen_it() -> None:
    assert list(_offered("no such", "sports").labels.values())[2:] == ["other · 10.0%", "no such"]
    assert choices(english(), DEVICE, (), (4, 1)).labels == {1: "Mobile (1)", 4: "4"}
    assert not choices(english(), DEVICE, (), ()).labels


def test_equal_ones_are_in_the_order_of_their_values() -> None:
    equal = segments_of(("a", 10, 1, 0), ("a", 9, 1, 0), ("a", -1, 1, 0))
    assert list(choices(english(), DEVICE, equal, ()).labels) == [-1, 9, 10]


def test_the_label_of_an_earlier_run_leads_to_its_value() -> None:
    offered = _offered("no such")
    held = ["sports", "News (50e219e0) · 12.3%", "no such · 1.0%", "sports · 99.0%", "gone · 1.0%", "gone"]
    assert offered.chosen(held) == ["sports", "50e219e0", "no such", "sports"]
    assert choices(english(), DEVICE, SEGMENTS, ()).chosen([0, "Mobile (1) · 3.0%", 7]) == [0, 1]


def test_labels_are_text_of_one_line() -> None:
    shown = shown_dimensions(shipped_stream(), {"site_category": {"b": "a\u202eb\n", "c": "\u05d7"}})[0]
    labels = choices(english(), shown, (), ("b", "c")).labels
    assert labels == {"b": "a\ufffdb\u240a (b)", "c": "\u2068\u05d7 (c)\u2069"}


look_alikes = st.text(st.sampled_from("a\u202e\ufffd\x80 ·(2)1.0%"), max_size=8)


@given(st.dictionaries(look_alikes, st.tuples(look_alikes, st.integers(0, 9)), max_size=12))
def test_no_two_labels_are_the_same_and_each_is_its_values(drawn: dict[str, tuple[str, int]]) -> None:
    shown = shown_dimensions(
        shipped_stream(), {"site_category": {value: name for value, (name, _) in drawn.items()}}
    )[0]
    segments = segments_of(*((value, 1, size, 0) for value, (_, size) in drawn.items() if size))
    offered = choices(english(), shown, segments, drawn)
    assert offered.labels.keys() == drawn.keys()
    assert len(set(offered.labels.values())) == len(drawn)
    assert offered.chosen(drawn) == list(drawn)
    named = {label: value for value, label in offered.labels.items() if label not in drawn}
    assert offered.chosen(named) == list(named.values())
