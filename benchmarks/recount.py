"""How fast the recount reads a topic on one core, beside the job on all of them.

A stack of its own is started and its topic loaded; then job and recount take turns. The recount's figure is
a whole pass: reading, deciding, writing to Postgres and verifying every window. A pass that finds a window
inexact, or misses an event, has no figure.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

from benchmarks.throughput import SPAN_MINUTES, run_job
from ctr_platform.defs.reconciliation.run import recount
from ctr_platform.defs.reconciliation.state import SETTLED_S
from ctr_platform.devstack.service_list import DATA_SERVICES
from ctr_platform.loadgen.plan import MAX_RATE, TrafficRequest
from tests.support.sending import send
from tests.support.stack import running_stack
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from contract.settings import Settings


def run_recount(settings: Settings) -> tuple[int, float, float]:
    """Records, seconds and CPU seconds of one pass over the whole topic, on one core."""
    engine = create_engine(settings.postgres_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "truncate quality.recount_progress, quality.recount_counts, quality.recount_late, "
                "quality.recount_pending, quality.window_accuracy_history"
            )
        )
    engine.dispose()
    time.sleep(SETTLED_S)  # the pass reads what the job has told of for so long
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        began, cpu = time.perf_counter(), time.process_time()
        done = recount(settings)
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    finally:
        os.sched_setaffinity(0, cores)
    if done.verification.inexact:
        raise SystemExit(f"{done.verification.inexact} of {done.verification.windows} windows are inexact")
    return done.reading.records, seconds, cpu_s


def main() -> None:
    """Load, then alternate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    jobs: list[float] = []
    recounts: list[float] = []
    with running_stack(DATA_SERVICES) as stack:
        settings = stack.settings.model_copy(update={"flink_parallelism": 2})
        migrate(settings.postgres_url)
        request = TrafficRequest(rate=MAX_RATE, count=arguments.events, span_ms=SPAN_MINUTES * 60_000, seed=1)
        send(settings, request)
        for run in range(arguments.runs + 1):
            counted, job_s = run_job(settings)
            records, seconds, cpu_s = run_recount(settings)
            if not counted == records == arguments.events:
                raise SystemExit(
                    f"of {arguments.events:,} the job counted {counted:,}, the recount {records:,}"
                )
            name = f"run {run}" if run else "warm-up"
            print(
                f"{name:8} job {counted / job_s / 1000:7,.0f} k events/s; recount "
                f"{records / seconds / 1000:5,.0f} k/s, {records / cpu_s / 1000:,.0f} k per CPU second",
                flush=True,
            )
            if run:
                jobs.append(counted / job_s)
                recounts.append(records / seconds)
    for name, figures in (("job", jobs), ("recount", recounts)):
        print(
            f"{name:8} median {statistics.median(figures) / 1000:,.0f} k events/s "
            f"({min(figures) / 1000:,.0f} to {max(figures) / 1000:,.0f})"
        )


if __name__ == "__main__":
    main()
