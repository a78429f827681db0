"""The whole attack list against one job, under good traffic: `make drill`, some ten minutes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from ctr_platform.defs.dead_letters.replay import ReplaySelection, replay
from ctr_platform.defs.late_events.merge import merge_late_events
from ctr_platform.devstack.probes import wait_until
from tests.drills.pace import SLOW_BELOW, longest_slow_s, rate, sampling
from tests.drills.page import write_section
from tests.support.attacks import ALONE, ATTACKS
from tests.support.pipeline import pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drills.pace import Pace
    from tests.support.attacks import Attack
    from tests.support.pipeline import Pipeline
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

pytestmark = [pytest.mark.drill, pytest.mark.timeout(2400)]

WARM_UP_S: Final = 20
BEFORE_S: Final = 30
"""What the pace of good traffic is taken from."""
AFTER_S: Final = 15
"""After each attack: time for what is slow to show."""
CURRENT_S: Final = 20
"""The next attack begins when windows close as early as in calm."""
BEHIND_S: Final = 240
"""Windows close at the latest so long after the clock has passed them: they wait for a transaction of 40 s,
and for the registry's answers to garbage."""
AHEAD_S: Final = 60
"""Events of a fast clock are in windows up to a minute ahead."""
VERIFIED_WITHIN_S: Final = 300
RAW_EVENTS_PERCENT: Final = 3.0
LEGEND: Final = (
    f"Slow: the longest time for which good events were counted at less than {SLOW_BELOW:.0%} of the pace "
    "before. Behind: how far the job's watermark was behind the clock at most; 10 s and the disorder of the "
    "traffic are by design, and windows wait for an open transaction. Of the random schema ids half are "
    "negative, which none is; each other one is a request to the registry, on the same two cores, and its "
    "partition waits for the answer."
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What an attack has done."""

    attack: Attack
    records: int
    refused: int
    slow_s: float
    behind_s: float
    restarts: int

    def line(self) -> str:
        figures = f"{self.records} | {self.refused} | {self.slow_s:.0f} | {self.behind_s:.0f}"
        return f"| {self.attack.title} | {figures} | {self.restarts} |"


def test_the_attack_list(stack: RunningStack, submitter: Submitter, request: pytest.FixtureRequest) -> None:
    events_per_second = request.config.getoption("--attack-rate")
    changes = {"raw_events_percent": RAW_EVENTS_PERCENT}
    with pipeline(stack, submitter, **changes) as job:
        job.submit()
        with _running(job, "follow") as follower:
            with _running(job, "produce", "--rate", str(events_per_second), "--disorder", "5s"):
                job.eventually(lambda: job.read() > 0, "good events")
                job.add_partitions(ALONE + 1)
                with sampling(job) as pace:
                    rows, before = _attacked(job, pace)
                _assert_exact(job, time.time() + AHEAD_S)
            assert follower.poll() is None, "the recount died"
        assert job.restarts() == 0
        totals = job.ledger()
    lines = _lines(rows, before, totals)
    if file := request.config.getoption("--drill-report"):
        write_section(file, "Attack list", lines)
    assert not [row.attack.title for row in rows if row.slow_s > row.attack.holds_up_s]
    assert not [row.attack.title for row in rows if row.behind_s > BEHIND_S]
    assert not [row.attack.title for row in rows if row.restarts]


def _lines(rows: list[Row], before: float, totals: dict[str, int]) -> list[str]:
    head = (
        "By `make drill`: one job at parallelism 2 on two cores that others used as well, checkpoints every "
        f"second, {before:.0f} good events/s, one attack after the other."
    )
    outcome = (
        f"- Of {totals['records_read']} records {totals['counted']} were counted, {totals['late']} late, "
        f"{totals['malformed']} malformed, {totals['unknown_schema']} of unknown schema, "
        f"{totals['invalid']} invalid: each hostile one as it must be, and no good one among those refused. "
        "Every window was exact, and the late event in bytes was merged."
    )
    return [
        head,
        "",
        "| Attack | records | dead-lettered | slow for, s | at most behind, s | restarts |",
        "|---|--:|--:|--:|--:|--:|",
        *(row.line() for row in rows),
        "",
        LEGEND,
        "",
        outcome,
    ]


def _attacked(job: Pipeline, pace: Pace) -> tuple[list[Row], float]:
    """Carry all attacks out; returns a row for each, and the pace before the first."""
    time.sleep(WARM_UP_S)
    quiet_s = time.time()
    time.sleep(BEFORE_S)
    before = rate(pace.since(quiet_s))
    print(f"\n{before:.0f} good events/s", flush=True)
    rows = []
    for attack in ATTACKS:
        known, restarts, began_s = len(job.outcomes), job.restarts(), time.time()
        attack.send(job)
        job.flush()
        time.sleep(AFTER_S)
        wait_until(lambda: pace.samples[-1].behind_s < CURRENT_S, BEHIND_S, "windows that close as before")
        sent = list(job.outcomes.values())[known:]
        samples = pace.since(began_s)
        row = Row(
            attack=attack,
            records=len(sent),
            refused=sum(outcome != "counted" for outcome in sent),
            slow_s=longest_slow_s(samples, before),
            behind_s=max(sample.behind_s for sample in samples),
            restarts=job.restarts() - restarts,
        )
        print(row.line(), flush=True)
        rows.append(row)
    return rows, before


def _assert_exact(job: Pipeline, until_s: float) -> None:
    """Every record has its outcome, and every window until then is what the follower counts."""
    refused = {place: outcome for place, outcome in job.outcomes.items() if outcome != "counted"}
    job.eventually(lambda: len(job.dead_letters()) >= len(refused), "the dead-letter messages")
    assert job.dead_letters() == refused

    def verified() -> bool:
        found = job.query(
            "select closed_until >= to_timestamp(%s), inexact, unbalanced"
            " from quality.reconciliation_passes order by pass_id desc limit 1",
            until_s,
        )
        return found == [(True, 0, [])]

    wait_until(verified, VERIFIED_WITHIN_S, "a recount of all windows that agrees")
    [(windows, exact)] = job.query(
        "select count(*), count(*) filter (where accuracy = 100) from quality.window_accuracy"
    )
    assert windows == exact > 0
    merged = merge_late_events(job.settings)
    assert merged.merged + merged.already_merged == sum(each == "late" for each in refused.values())
    fixed = replay(job.settings, ReplaySelection(reasons=["invalid"]), repair="clamp_click", dry_run=True)
    assert fixed.replayed["invalid"] + fixed.unfixable["invalid"] == sum(
        each == "invalid" for each in refused.values()
    )


@contextmanager
def _running(job: Pipeline, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of the platform beside; it must not end by itself."""
    log = job.stack.home / f"{command[0]}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "ctr_platform", *command],
            env=job.stack.environment,
            stdout=out,
            stderr=out,
        )
        try:
            yield process
            assert process.poll() is None, f"{command[0]} ended: {log.read_text()[-500:]}"
            process.send_signal(signal.SIGINT)
            assert process.wait(60) in (0, -signal.SIGINT), log.read_text()[-500:]
        finally:
            process.kill()
            process.wait()
