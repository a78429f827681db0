"""How many small faults of the job the recount and the quality report notice, and how soon."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from contract.errors import CtrError
from ctr_platform.artifacts.java import build_jar, ingest_classpath
from ctr_platform.defs.data_quality.report import make_report
from ctr_platform.defs.flink_job import submission
from ctr_platform.defs.reconciliation.idle_periods import NOTICED_WITHIN_MS
from ctr_platform.defs.reconciliation.run import recount
from tests.drills.environment import candidate
from tests.drills.job_mutants import FAULTS, JAVA
from tests.oracle import MINUTE_MS
from tests.support.hostile import HOUR_MS, hostile_traffic
from tests.support.pipeline import pipeline

if TYPE_CHECKING:
    from tests.support.mutants import Mutant
    from tests.support.pipeline import Pipeline
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

pytestmark = [pytest.mark.drill, pytest.mark.timeout(4 * 3_600)]

PROJECT: Final = Path(__file__).parents[2]
EVENTS: Final = 2_000
MINUTES: Final = 5
SPAN_MS: Final = MINUTES * MINUTE_MS
CLOSERS_MS: Final = 15_000
"""The records that let the last window close are 10 s ahead of it, and must not be ahead of the broker."""

WITHIN_S: Final = 45.0
"""After the windows may close; a fault that is not noticed by then is not."""

LEDGER_WITHIN_S: Final = 15.0
"""A checkpoint each second; a fault may keep the ledger from ever saying that all is read."""

CLOSED_WITHIN_S: Final = 20.0
"""After this, that no window has closed is a finding: a second is what the contract allows."""

LOOK_S: Final = 1.0

NOT_NOTICED: Final = frozenset(
    {
        "counts leave after the watermark",
        "dead letters of dead records vanish",
        "nobody waits for disorder",
        "the newest partition makes the watermark",
    }
)
"""`docs/measurements.md` says why."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What noticed a fault first."""

    by: str
    what: str
    seconds: float
    """After the records that let the windows close."""


@pytest.fixture(scope="module")
def trials(stack: RunningStack, submitter: Submitter) -> Trials:
    """Ready to run faults; without one, nothing is wrong."""
    made = Trials(stack, submitter)
    assert made.run(None, Path()) is None, "something is wrong without a fault"
    print("\n| fault | the rule that it breaks | noticed by | after, s |\n|---|---|---|--:|")
    return made


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_small_fault_is_noticed(trials: Trials, fault: Mutant, tmp_path: Path) -> None:
    finding = trials.run(fault, tmp_path)
    noticed = f"{finding.by}: {finding.what} | {finding.seconds:.0f}" if finding else "nothing | -"
    print(f"\n| {fault.name} | {fault.rule} | {noticed} |", flush=True)
    assert finding is not None or fault.name in NOT_NOTICED


@dataclass(frozen=True)
class Trials:
    """One stack for all trials, each on topics and stores of its own."""

    stack: RunningStack
    submitter: Submitter

    def run(self, fault: Mutant | None, folder: Path) -> Finding | None:
        """Run the job with a fault on traffic of every kind; returns what noticed it."""
        with pipeline(self.stack, self.submitter, flink_parallelism=1) as job:
            try:
                _submit(job, fault, folder)
            except CtrError:
                return Finding(by="the submission", what="it is refused", seconds=0)
            # Of the last minutes: the quality report looks at documents that Redis still has.
            job.base_ms = (time.time_ns() // 1_000_000 - CLOSERS_MS) // SPAN_MS * SPAN_MS - SPAN_MS - HOUR_MS
            _begin(job)
            hostile_traffic(job, events=EVENTS, minutes=MINUTES, seed=21)
            job.close_windows(HOUR_MS + SPAN_MS)
            closing = time.monotonic()
            records = job.expected().records
            while time.monotonic() < closing + WITHIN_S:
                if time.monotonic() < closing + LEDGER_WITHIN_S and job.read() < records:
                    time.sleep(LOOK_S)
                    continue
                late = time.monotonic() > closing + CLOSED_WITHIN_S
                if noticed := _look(job, late=late):
                    return Finding(by=noticed[0], what=noticed[1], seconds=time.monotonic() - closing)
                if fault is None and late:
                    return None
                time.sleep(LOOK_S)
            return None


def _begin(job: Pipeline) -> None:
    """Let every partition be active: the recount allows records to be late right after an idle period."""
    for partition in range(job.settings.kafka_partitions):
        job.event(partition, HOUR_MS)
    job.flush()
    time.sleep(NOTICED_WITHIN_MS / 1000 + LOOK_S)


def _submit(job: Pipeline, fault: Mutant | None, folder: Path) -> None:
    if fault is None:
        job.submit()
        return
    code = candidate(folder, (fault.file, fault.old, fault.new))
    if fault.file.startswith(JAVA):
        sources = code / "flink" / "ingest" / "src" / "main" / "java"
        job.submit(front_jar=str(build_jar("ctr-ingest", sources, ingest_classpath(), strict=False)))
    else:
        job.job_id = submission.submit(job.config, code)
        job.wait_running()


def _look(job: Pipeline, *, late: bool) -> tuple[str, str] | None:
    """What is found now, by whom."""
    if job.rest("")["state"] != "RUNNING" or job.restarts():
        return "the job's health", "it fails"
    try:
        done = recount(job.settings)
    except CtrError as error:
        return "the recount", str(error)
    if done.verification.inexact:
        return "the recount", f"{done.verification.inexact} windows are not exact"
    if unbalanced := [each.partition for each in done.balances if not each.balanced]:
        return "the recount", f"outcomes of {len(unbalanced)} partitions differ"
    if late and done.verification.windows == 0:
        return "the recount", "no window has closed"
    broken = [each.rule.name for each in make_report(job.settings).verdicts if not each.passed]
    return ("the quality report", ", ".join(f"`{name}`" for name in broken)) if broken else None
