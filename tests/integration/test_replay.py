"""Dead records go back into the raw topic once, whatever is killed when."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest

from contract.errors import CtrError
from ctr_platform.defs.dead_letters.replay import (
    PER_TRANSACTION,
    REPLAYED_FROM,
    Replay,
    ReplaySelection,
    replay,
)
from tests.oracle import MINUTE_MS, read_topic
from tests.support.hostile import HOUR_MS
from tests.support.killing import kill_after

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline


def _replay(job: Pipeline, *, dry_run: bool = False, repair: str | None = None, **selection: Any) -> Replay:
    chosen = ReplaySelection(**selection)
    return replay(job.settings, chosen, repair=repair, dry_run=dry_run)


def _replayed(job: Pipeline) -> list[str]:
    """Which dead records are in the raw topic again, by a reader of committed transactions."""
    return [
        (value or b"").decode()
        for record in read_topic(job.settings, job.settings.raw_topic)
        for name, value in record.headers
        if name == REPLAYED_FROM
    ]


def _audit(job: Pipeline) -> list[tuple[Any, ...]]:
    return job.query(
        'select partition, "offset", reason, repair from quality.dead_letter_replays'
        " where topic = %s order by 1, 2",
        job.settings.raw_topic,
    )


def test_repaired_records_are_counted_and_never_replayed_twice(job: Pipeline) -> None:
    job.submit()
    good = job.encode(HOUR_MS)
    job.send(0, job.encode(HOUR_MS, click=7), key=b"key", headers=[("trace", b"1")])
    job.send(1, struct.pack(">bI", 0, 999_999) + good[5:])
    job.send(2, good + b"\0\0")
    job.send(3, b"garbage")
    job.flush()
    job.eventually(lambda: len(job.dead_letters()) == 4, "the dead-letter messages")

    tried = _replay(job, dry_run=True, reasons=["invalid"], repair="clamp_click")
    assert dict(tried.replayed) == {"invalid": 1}
    assert _replayed(job) == []

    done = _replay(job, reasons=["invalid"], repair="clamp_click")
    assert dict(done.replayed) == {"invalid": 1}
    assert dict(_replay(job, reasons=["unknown_schema"], repair="own_schema").replayed) == {
        "unknown_schema": 1
    }
    cut = _replay(job, reasons=["malformed"], repair="cut_leftover")
    assert (dict(cut.replayed), dict(cut.unfixable)) == ({"malformed": 1}, {"malformed": 1})
    assert sorted(_replayed(job)) == [f"{job.settings.raw_topic}:{partition}:0" for partition in range(3)]
    [again] = [
        r for r in read_topic(job.settings, job.settings.raw_topic) if r.key == b"key" and r.offset > 0
    ]
    assert ("trace", b"1") in again.headers
    assert _audit(job) == [
        (0, 0, "invalid", "clamp_click"),
        (1, 0, "unknown_schema", "own_schema"),
        (2, 0, "malformed", "cut_leftover"),
    ]
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    key = (job.base_ms + HOUR_MS, "news", 1)
    job.eventually(lambda: job.rows(1).get(key) == (3, 1), "the repaired events in their window")

    nothing = _replay(job, reasons=["invalid"], repair="clamp_click")
    assert (dict(nothing.replayed), dict(nothing.already_replayed)) == ({}, {"invalid": 1})
    assert len(_replayed(job)) == 3
    # As it was: dead again, and with coordinates of its own.
    assert dict(_replay(job, coordinates=["3:0"]).replayed) == {"malformed": 1}
    job.eventually(lambda: len(job.dead_letters()) == 5, "the dead-letter message of the replayed record")


def test_a_replay_killed_anywhere_is_finished_by_the_next_one(job: Pipeline) -> None:
    records = 6 * PER_TRANSACTION + 7
    for number in range(records):
        job.event(number % 4, HOUR_MS, click=7)
    job.flush()
    job.submit()
    job.eventually(lambda: len(job.dead_letters()) == records, "the dead-letter messages")
    kill_after(
        job.stack,
        "from contract.settings import load_settings\n"
        "from ctr_platform.defs.dead_letters.replay import ReplaySelection, replay",
        "replay(load_settings(), ReplaySelection(), repair='clamp_click', dry_run=False)",
        (0.3, 0.5, 0.7, 1.0),
    )
    _replay(job, repair="clamp_click")
    found = _replayed(job)
    assert len(found) == records
    assert len(set(found)) == records
    assert len(_audit(job)) == records
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    key = (job.base_ms + HOUR_MS, "news", 1)
    job.eventually(lambda: job.rows(1).get(key) == (records, records), "each of them in its window, once")


@pytest.mark.parametrize(
    ("selection", "message"),
    [({"reasons": ["late"]}, "merge them with"), ({"reasons": ["broken"]}, "no record is dead for 'broken'")],
)
def test_what_cannot_be_replayed_is_refused(selection: dict[str, Any], message: str) -> None:
    with pytest.raises(CtrError, match=message):
        ReplaySelection(**selection)


def test_an_unknown_repair_is_refused(job: Pipeline) -> None:
    with pytest.raises(CtrError, match="no repair is called 'magic'"):
        _replay(job, repair="magic")
