"""Every place that rounds a rate rounds it alike."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text

from tests.support.stores import writing_engine
from warehouse.ctr import percent

if TYPE_CHECKING:
    from sqlalchemy import URL

PAIRS = st.integers(1, 10**12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
BOUNDARIES = [(1, 800), (3, 800), (1, 80_000), (0, 1), (1, 1), (79_999, 80_000), (2, 3), (1, 10**12)]


def half_up(clicks: int, impressions: int) -> Decimal:
    """By decimal division, with digits enough to tell a tie from its neighbours."""
    with localcontext(prec=60):
        return (100 * Decimal(clicks) / impressions).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@given(PAIRS)
@example((1, 800))  # 0.125 %: a tie
@example((1, 80_000))  # 0.00125 %
def test_percent_rounds_half_up(pair: tuple[int, int]) -> None:
    assert percent(*pair) == float(half_up(*pair))


def test_no_impressions_have_no_rate() -> None:
    with pytest.raises(ZeroDivisionError):
        percent(0, 0)


@pytest.mark.stack
def test_postgres_rounds_the_same(url: URL) -> None:
    with writing_engine(url).connect() as connection:
        for clicks, impressions in BOUNDARIES:
            found = connection.scalar(text("SELECT realtime.ctr(:c, :i)"), {"c": clicks, "i": impressions})
            assert found == half_up(clicks, impressions), (clicks, impressions)
