"""The job of today goes on from savepoints that earlier versions made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest
import redis

from ctr_platform.artifacts.flink import flink_environment
from tests.flink.savepoints.make import BASE_MS, HOUR_MS, job_of_savepoint, send_first, send_last, send_others
from tests.oracle import MINUTE_MS

if TYPE_CHECKING:
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

PROJECT: Final = Path(__file__).parents[2]
SAVEPOINTS: Final = PROJECT / "tests" / "flink" / "savepoints"
VERSIONS: Final = sorted(path.parent.name for path in SAVEPOINTS.glob("*/_metadata"))

WINDOW_STATES: Final = [
    "_timer_state/event_window-timers",
    "_timer_state/processing_window-timers",
    "watermark",
    "window-aggs",
]
STATES: Final = {
    "front-source": ["(coordinator)", "SourceReaderState"],
    "front-combiner": [
        "(coordinator)",
        "held-letters",
        "job-watermark",
        "named-segments",
        "partition-clocks",
        "pending-ledger",
        "topic-epoch",
    ],
    "front-letters": ["writer_raw_states"],
    "Sink Committer: front-letters": ["streaming_committer_raw_states"],
    "front-raw-events": ["writer_raw_states"],
    "Sink Committer: front-raw-events": ["streaming_committer_raw_states"],
    "af44d9fd_document-summaries": ["open-windows"],
    "af44d9fd_window-documents": [
        "_timer_state/event_user-timers",
        "_timer_state/processing_user-timers",
        "counts",
        "unsent-final-document",
    ],
    "af44d9fd_5_global-window-aggregate": WINDOW_STATES,
    "af44d9fd_11_global-window-aggregate": WINDOW_STATES,
    "af44d9fd_18_sink": ["writer_raw_states"],
    "Sink Committer: af44d9fd_18_sink": ["streaming_committer_raw_states"],
}
"""The job's states by their operators' uids: what has another name in a later job is lost."""

COMMITTER_STATE: Final = "streaming_committer_raw_states"
WRITERS: Final = ("front-letters", "front-raw-events", "af44d9fd_18_sink")


def states(savepoint: Path) -> dict[str, list[str]]:
    """What a savepoint holds."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.flink.savepoints.describe", str(savepoint)],
        env=flink_environment(),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_an_earlier_savepoint_restores(stack: RunningStack, submitter: Submitter, version: str) -> None:
    with job_of_savepoint(stack, submitter) as job:
        send_first(job)
        send_others(job)
        send_last(job)
        job.submit(restore_from=(SAVEPOINTS / version).as_uri(), checkpoint_interval_s=2)

        # What the job before had not reported yet: records that were late after idleness, and the ledger.
        job.eventually(
            lambda: job.dead_letters() == {(3, 1): "late", (3, 2): "late"}, "the deferred dead letters"
        )
        found = {"records_read": 19, "counted": 13, "late": 2, "malformed": 4}
        job.eventually(
            lambda: job.ledger() == {**found, "unknown_schema": 0, "invalid": 0}, "the pending ledger"
        )

        job.event(1, HOUR_MS + 2 * MINUTE_MS + 59_000, site_category="open", click=1)
        job.event(0, HOUR_MS + 2 * MINUTE_MS + 59_999, site_category="late")  # by the progress of partition 0
        job.event(3, HOUR_MS + 50_000, site_category="late")  # by the global watermark alone
        job.flush()
        late = {(3, 1): "late", (3, 2): "late", (3, 4): "late", (0, 5): "late"}
        job.eventually(lambda: job.dead_letters() == late, "the dead letters of late events")
        assert job.rows(1) == {}, "the first two minutes had been closed before, the others are open"

        # The next savepoint names no class of the job's, so whatever they are called it can be restored.
        second = job.stop_with_savepoint()
        made = Path(urlsplit(second).path)
        assert b"ctr.front" not in (made / "_metadata").read_bytes()
        assert b"ctr.ingest" not in (made / "_metadata").read_bytes()
        found_states = states(made)
        if version == "0.1":
            # It had the committers' state under the writers' uids as well, and what is restored stays.
            for uid in WRITERS:
                found_states[uid].remove(COMMITTER_STATE)
        assert found_states == STATES
        job.submit(restore_from=second, checkpoint_interval_s=2, parallelism=3)
        job.close_windows(HOUR_MS + 5 * MINUTE_MS)
        hour = BASE_MS + HOUR_MS
        minutes = {
            (hour + 2 * MINUTE_MS, "open", 1): (3, 2),
            (hour + 3 * MINUTE_MS, "fourth", 1): (4, 3),
        }
        five = {
            (hour, "first", 1): (4, 2),
            (hour, "second", 1): (3, 0),
            (hour, "open", 1): (3, 2),
            (hour, "fourth", 1): (4, 3),
        }
        job.eventually(lambda: job.rows(5) == five, "the window of five minutes")
        assert job.rows(1) == minutes
        settings = job.settings
        cache = redis.Redis(settings.redis_host, settings.redis_port, decode_responses=True)
        document = json.loads(str(cache.get(f"{settings.redis_key_prefix}metrics:5min:20200106T0100Z")))
        assert document["final"]
        assert {(c, d): (i, k) for c, d, i, k in document["segments"]} == {
            key[1:]: value for key, value in five.items()
        }
        job.eventually(lambda: job.read() == 26, "the ledger")
        assert job.dead_letters() == late
        assert set(job.dropped_late().values()) == {0}
        assert job.restarts() == 0
