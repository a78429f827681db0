"""The rules of lateness and the conservation law, over batches cut anywhere."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contract.time_rules import TimeRules
from ctr_platform.defs.reconciliation.decode import VALID, Decoded
from ctr_platform.defs.reconciliation.outcomes import BEFORE_ALL_MS, PartitionOutcomes, Written, decide

YEAR_2000_MS = TimeRules().earliest_ms
NOW_MS = YEAR_2000_MS + 10_000_000

Record = tuple[str, int, int, int, bool]
"""Whether it is dead, click and timestamp; when it was written, and whether the broker said so."""

RECORDS = st.lists(
    st.tuples(
        st.sampled_from([VALID, VALID, VALID, "malformed", "unknown_schema"]),
        st.sampled_from([0, 1, 1, 2, -1]),
        st.sampled_from([-5, 0, YEAR_2000_MS - 1, YEAR_2000_MS, NOW_MS + 60_000, NOW_MS + 60_001])
        | st.integers(YEAR_2000_MS, YEAR_2000_MS + 300_000),
        st.sampled_from([NOW_MS]) | st.integers(YEAR_2000_MS, YEAR_2000_MS + 300_000),
        st.sampled_from([True, True, False]),
    ),
    max_size=60,
)


def _decide(records: list[Record], first_offset: int, highest: int) -> PartitionOutcomes:
    decoded = Decoded(
        dead=np.array([dead for dead, *_ in records], object),
        click=np.array([click for _, click, *_ in records], np.int64),
        timestamp_ms=np.array([timestamp for _, _, timestamp, *_ in records], np.int64),
        dimensions={
            "site_category": np.full(len(records), "news", object),
            "device_type": np.ones(len(records), np.int64),
        },
        measures={},
    )
    written = Written(
        offsets=first_offset + np.arange(len(records)),
        times_ms=np.array([written for *_, written, _ in records], np.int64),
        by_broker=np.array([by_broker for *_, by_broker in records], bool),
    )
    return decide(decoded, written, highest, TimeRules())


@given(RECORDS)
def test_every_record_has_one_fate_as_the_contract_words_it(records: list[Record]) -> None:
    outcomes = _decide(records, 0, BEFORE_ALL_MS)
    highest: int | None = None
    counted: Counter[int] = Counter()
    late = []
    reasons: Counter[str] = Counter()
    last_timely: int | None = None
    for offset, (dead, click, timestamp, written, by_broker) in enumerate(records):
        if dead != VALID:
            reasons[dead] += 1
        elif click not in (0, 1) or timestamp < YEAR_2000_MS or timestamp > written + 60_000:
            reasons["invalid"] += 1
        else:
            start = timestamp // 60_000 * 60_000
            if highest is not None and start + 60_000 <= highest - 10_000:
                late.append(offset)
            else:
                counted[start] += 1
                last_timely = written
            if by_broker:
                bounded = min(timestamp, written)
                highest = bounded if highest is None else max(highest, bounded)
    assert outcomes.highest_time_ms == (BEFORE_ALL_MS if highest is None else highest)
    assert outcomes.last_valid_ms == last_timely
    assert outcomes.late["offset"].tolist() == late
    assert (
        dict(zip(outcomes.counts["window_start_ms"], outcomes.counts["impressions"], strict=True)) == counted
    )
    assert outcomes.totals == {
        "records_read": len(records),
        "counted": sum(counted.values()),
        "late": len(late),
        **{reason: reasons[reason] for reason in ("malformed", "unknown_schema", "invalid")},
    }


@given(RECORDS, st.integers(0, 60))
def test_where_a_batch_is_cut_changes_nothing(records: list[Record], cut: int) -> None:
    whole = _decide(records, 0, BEFORE_ALL_MS)
    first = _decide(records[:cut], 0, BEFORE_ALL_MS)
    second = _decide(records[cut:], len(records[:cut]), first.highest_time_ms)
    assert whole.highest_time_ms == second.highest_time_ms
    assert whole.late["offset"].tolist() == [*first.late["offset"], *second.late["offset"]]
    assert whole.totals == {name: first.totals[name] + second.totals[name] for name in whole.totals}


def test_the_course_is_by_second() -> None:
    written = [NOW_MS, NOW_MS + 999, NOW_MS + 1_000, NOW_MS + 500, NOW_MS + 5_000]
    records: list[Record] = [(VALID, 0, at_ms, at_ms, True) for at_ms in written]
    course = _decide(records, 7, BEFORE_ALL_MS).course
    assert course["first_offset"].tolist() == [7, 9, 11]
    assert course["first_ms"].tolist() == [NOW_MS, NOW_MS + 1_000, NOW_MS + 5_000]
    assert course["last_ms"].tolist() == [NOW_MS + 999, NOW_MS + 1_000, NOW_MS + 5_000]
    assert course["highest_before_ms"].tolist() == [BEFORE_ALL_MS, NOW_MS + 999, NOW_MS + 1_000]
    assert course["highest_ms"].tolist() == [NOW_MS + 999, NOW_MS + 1_000, NOW_MS + 5_000]
    end_ms = NOW_MS - NOW_MS % 60_000 + 60_000
    assert course["latest_end_ms"].tolist() == [end_ms] * 3
    assert _decide([], 7, BEFORE_ALL_MS).course.empty
