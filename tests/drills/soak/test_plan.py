"""The plan of a soak follows from its seed."""

from __future__ import annotations

from itertools import islice

from tests.drills.soak.faults import KINDS, plan


def test_the_same_seed_has_the_same_faults_and_another_seed_others() -> None:
    first, again, other = (list(islice(plan(seed), 40)) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_every_kind_comes_once_in_each_round_within_its_bounds() -> None:
    faults = list(islice(plan(1), 3 * len(KINDS)))
    for round_number in range(3):
        turn = faults[round_number * len(KINDS) : (round_number + 1) * len(KINDS)]
        assert sorted(fault.kind for fault in turn) == sorted(KINDS)
    assert all(fault.target in KINDS[fault.kind].targets for fault in faults)
    assert all(fault.seconds in KINDS[fault.kind].seconds for fault in faults)


def test_what_a_machine_cannot_do_is_left_out() -> None:
    kinds = {fault.kind for fault in islice(plan(1, available=["disks"]), 50)}
    assert "full_disk" in kinds
    assert not kinds & {"slow_link", "hushed_link", "cut_link"}
    assert {fault.kind for fault in islice(plan(1, only=["kill"]), 5)} == {"kill"}


def test_a_title_says_what_where_and_how_long() -> None:
    titles = {fault.kind: fault for fault in islice(plan(3), len(KINDS))}
    stalled = titles["stall"]
    assert stalled.title == f"{stalled.target} stalled (SIGSTOP), {stalled.seconds} s"
    assert titles["kill"].title == f"`kill -9` {titles['kill'].target}"
