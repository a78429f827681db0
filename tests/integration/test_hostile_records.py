"""Records of sizes, ids and times that nobody should send: each has its outcome, and the job goes on."""

from __future__ import annotations

import hashlib
import random
import time
from typing import TYPE_CHECKING

from ctr_platform.defs.dead_letters.read import read_dead_letters
from ctr_platform.defs.dead_letters.replay import ReplaySelection, replay
from tests.oracle import MINUTE_MS
from tests.support.attacks import MIB, compressed_megabytes, unknown_schemas

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS


def test_records_that_only_compression_makes_small_do_not_stop_the_job(job: Pipeline) -> None:
    job.submit()
    compressed_megabytes(job, 0)
    good = job.encode(HOUR_MS)
    job.send(1, good)
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    job.eventually(lambda: job.read() == 9, "the ledger")
    job.eventually(lambda: job.rows(5).get((job.base_ms + HOUR_MS, "news", 1)) == (1, 0), "the good event")
    assert job.dead_letters() == job.outcomes
    assert job.restarts() == 0
    found = {each.offset: each for each in read_dead_letters(job.settings)}
    size = 5 * MIB
    assert found[0].omitted == f"value={size}"
    assert found[1].omitted == f"key={20 * MIB}"
    assert found[2].omitted == f"value=1,headers={20 * MIB + 25}"
    assert found[3].omitted == f"value={size},headers={size + 25},key={size}"


def test_what_its_message_had_no_room_for_is_replayed_whole(job: Pipeline) -> None:
    noise = random.Random(2).randbytes(MIB // 4).hex()
    late = job.encode(HOUR_MS, site_domain=12 * noise)
    job.submit()
    job.send_compressed(0, late + b"\0", key=b"k")
    job.eventually(lambda: job.dead_letters() == {(0, 0): "malformed"}, "the dead letter")
    [dead_letter] = read_dead_letters(job.settings)
    assert dead_letter.omitted == f"value={len(late) + 1}"
    done = replay(job.settings, ReplaySelection(), repair="cut_leftover", dry_run=True)
    assert dict(done.replayed) == {"malformed": 1}
    assert dict(done.unfixable) == {}


def test_an_id_of_any_length_is_kept_once_and_counted(job: Pipeline) -> None:
    job.use(raw_events_percent=100.0)
    job.submit()
    for long_id in ("a" * 256, "b" * 257, "뉴" * 6_000, "c" * MIB):
        job.event(0, HOUR_MS, id=long_id)
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    job.eventually(lambda: job.rows(5).get((job.base_ms + HOUR_MS, "news", 1)) == (4, 0), "the events")

    def kept() -> dict[str, int]:
        return dict(job.query("select id, length(id) from realtime.raw_events where site_category = 'news'"))

    job.eventually(lambda: len(kept()) == 4, "the raw events")
    digest = hashlib.sha256(("뉴" * 6_000).encode()).hexdigest()
    assert kept()["뉴" * 192 + digest] == 256
    assert kept()["a" * 256] == 256
    assert job.restarts() == 0


def test_seconds_in_place_of_milliseconds_are_invalid_and_open_no_window(job: Pipeline) -> None:
    job.submit()
    now_s = int(time.time())
    for at in (now_s, 0, 946_684_799_999):
        job.event(3, at - job.base_ms)
    job.event(3, 946_684_800_000 - job.base_ms)
    job.flush()
    job.eventually(lambda: len(job.dead_letters()) == 3, "the dead letters")
    found = {each.offset: each.message for each in read_dead_letters(job.settings)}
    assert found[0] == f"timestamp is {now_s} ms, which looks like seconds"
    assert found[1] == "timestamp is 0 ms, before the year 2000"
    assert set(found) == {0, 1, 2}


def test_records_of_many_unknown_schemas_are_each_judged(job: Pipeline) -> None:
    job.submit()
    unknown_schemas(job, 20_000)
    job.event(1, HOUR_MS)
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    job.eventually(lambda: job.rows(5).get((job.base_ms + HOUR_MS, "news", 1)) == (1, 0), "the good event")
    job.eventually(lambda: job.read() == 20_005, "the ledger")
    assert job.ledger()["unknown_schema"] == 20_000
    assert job.restarts() == 0
