"""Which segments a selection holds."""

from __future__ import annotations

import pytest

from tests.support.tables import segment
from warehouse.windows import EVERYTHING, Segment, Selection

NEWS_1 = segment("news", 1, 10, 1)
NEWS_0 = segment("news", 0, 10, 1)
GAMES_1 = segment("games", 1, 10, 1)
OTHER = segment("other", None, 10, 1)

NEWS = frozenset({"news"})
ONE = frozenset({1})


@pytest.mark.parametrize(
    ("selection", "held"),
    [
        (EVERYTHING, [NEWS_1, NEWS_0, GAMES_1, OTHER]),
        (Selection.of({"site_category": NEWS}), [NEWS_1, NEWS_0]),
        (Selection.of({"device_type": ONE}), [NEWS_1, GAMES_1]),
        (Selection.of({"site_category": NEWS, "device_type": ONE}), [NEWS_1]),
        # A summed segment holds others too, whatever it is called.
        (Selection.of({"site_category": ["other"]}), []),
    ],
)
def test_a_selection_holds_what_both_dimensions_allow(selection: Selection, held: list[Segment]) -> None:
    assert [each for each in (NEWS_1, NEWS_0, GAMES_1, OTHER) if selection.holds(each)] == held
    assert selection.whole == (len(held) == 4)
