"""Shares are kept exactly, and the pattern's arithmetic agrees with counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.errors import CtrError
from ctr_platform.loadgen.outcomes import PERIOD, Outcome, OutcomePattern, OutcomeShares

shares = st.lists(st.integers(0, 2000), min_size=4, max_size=4)


def pattern_of(parts: list[int], seed: int = 0, partitions: int = 4) -> OutcomePattern:
    late, malformed, invalid, unknown = (part / PERIOD for part in parts)
    wanted = OutcomeShares(late=late, malformed=malformed, invalid=invalid, unknown_schema=unknown)
    return OutcomePattern(wanted, np.random.default_rng(seed), partitions)


@given(shares, st.integers(0, 5), st.integers(1, 16))
def test_every_period_has_the_shares_and_begins_with_counted_events(
    parts: list[int], seed: int, partitions: int
) -> None:
    outcomes = pattern_of(parts, seed, partitions).outcomes(np.arange(3 * PERIOD))
    for period in outcomes.reshape(3, PERIOD):
        assert np.bincount(period, minlength=len(Outcome))[1:].tolist() == parts
    assert not outcomes[:partitions].any()


@given(shares, st.integers(0, 3 * PERIOD))
def test_counted_before_is_a_count(parts: list[int], number: int) -> None:
    pattern = pattern_of(parts)
    counted = int((pattern.outcomes(np.arange(number)) == Outcome.COUNTED).sum())
    assert pattern.counted_before(np.array([number]))[0] == counted


@given(shares, st.integers(1, 3 * PERIOD))
@example([2000, 2000, 2000, 2000], 2000)
def test_events_for_is_the_least_number_with_so_many_counted(parts: list[int], counted: int) -> None:
    pattern = pattern_of(parts)
    number = pattern.events_for(counted)
    assert pattern.counted_before(np.array([number, number - 1])).tolist() == [counted, counted - 1]


@given(st.integers(1, PERIOD // 2), st.integers(0, PERIOD))
def test_refused_events_are_spread_over_the_period(part: int, number: int) -> None:
    refused = int((pattern_of([0, part, 0, 0]).outcomes(np.arange(number)) != Outcome.COUNTED).sum())
    assert abs(refused - number * part / PERIOD) <= 6


@pytest.mark.parametrize("parts", [[0, 6000, 6000, 0], [10_000, 0, 0, 0], [-1, 0, 0, 0], [0.5, 0, 0, 0]])
def test_shares_that_cannot_be_kept_are_refused(parts: list[int]) -> None:
    with pytest.raises(CtrError):
        pattern_of(parts)
