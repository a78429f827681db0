"""How fast the job reads a full topic, beside a JVM consumer that only counts its messages.

A stack of its own is started and its topic loaded; then they take turns. The job's figure is its whole
life on the cluster, start and end included, with every sink on; a run whose windows do not add up to the
events loaded has no figure. With `--raw-events-percent` the job takes a second turn, keeping such a sample.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tenacity
from sqlalchemy import create_engine, text

from ctr_platform.artifacts.java import build_jar, ingest_classpath
from ctr_platform.artifacts.wheels import java
from ctr_platform.defs.flink_job.rest import FlinkCluster, Job
from ctr_platform.defs.flink_job.submission import job_config, submit
from ctr_platform.devstack.service_list import DATA_SERVICES
from ctr_platform.loadgen.plan import MAX_RATE, TrafficRequest
from tests.support.sending import send
from tests.support.stack import running_stack
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.settings import Settings

CONTENDERS: Final = Path(__file__).parent / "contenders"
JOB_WITHIN_S: Final = 600
SPAN_MINUTES: Final = 20
"""The events are spread over so much event time."""


def count_only(settings: Settings) -> tuple[int, float]:
    """Messages and seconds of the consumer that only counts."""
    jar = build_jar("count-only", CONTENDERS, ingest_classpath())
    classpath = ":".join(map(str, (jar, *ingest_classpath())))
    command = [str(java()), "-Xmx512m", "-cp", classpath, "ctr.bench.CountOnly"]
    done = subprocess.run(
        [*command, settings.kafka_bootstrap_servers, settings.raw_topic],
        capture_output=True,
        text=True,
        check=True,
    )
    count, milliseconds = done.stdout.split()
    return int(count), int(milliseconds) / 1000


def run_job(settings: Settings) -> tuple[int, float]:
    """Counted impressions and seconds of one run of the job, from the topic's beginning to its end.

    Of a job that keeps raw events, a run that kept none of them has no figure.
    """
    engine = create_engine(settings.postgres_url)
    with engine.begin() as connection:
        connection.execute(
            text("truncate realtime.counts_1min, realtime.counts_5min, quality.ledger, realtime.raw_events")
        )
    job_id = submit(replace(job_config(settings, settings.declared_stream()), bounded=True))
    with FlinkCluster(settings.flink_rest_url) as cluster:
        job: Job = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda found: found.alive),
            wait=tenacity.wait_fixed(0.5),
            stop=tenacity.stop_after_delay(JOB_WITHIN_S),
        )(lambda: next(each for each in cluster.jobs() if each.id == job_id))
    with engine.connect() as connection:
        counts = [
            int(connection.scalar(text(f"select sum(impressions) from realtime.counts_{m}min")) or 0)  # noqa: S608
            for m in (1, 5)
        ]
        kept = int(connection.scalar(text("select count(*) from realtime.raw_events")) or 0)
    engine.dispose()
    if job.state != "FINISHED" or counts[0] != counts[1]:
        raise SystemExit(f"the job is {job.state}; 1 and 5 minute windows count {counts}")
    if (kept > 0) != (settings.raw_events_percent > 0):
        raise SystemExit(f"{kept} raw events were kept")
    return counts[0], job.duration_ms / 1000


def main() -> None:
    """Load, then alternate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--parallelism", type=int, default=2)
    parser.add_argument("--raw-events-percent", type=float, default=0)
    arguments = parser.parse_args()
    with running_stack(DATA_SERVICES) as stack:
        settings = stack.settings.model_copy(update={"flink_parallelism": arguments.parallelism})
        migrate(settings.postgres_url)
        request = TrafficRequest(rate=MAX_RATE, count=arguments.events, span_ms=SPAN_MINUTES * 60_000, seed=1)
        loaded = send(settings, request)
        contenders: dict[str, Callable[[], tuple[int, float]]] = {
            "job": partial(run_job, settings),
            "count only": partial(count_only, settings),
        }
        if arguments.raw_events_percent:
            keeping = settings.model_copy(update={"raw_events_percent": arguments.raw_events_percent})
            contenders[f"job, {arguments.raw_events_percent:g} % raw"] = partial(run_job, keeping)
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        print(f"loaded {arguments.events:,} events in {loaded.seconds:.0f} s")
        for run in range(arguments.runs + 1):
            for name, contender in contenders.items():
                count, seconds = contender()
                if count != arguments.events:
                    raise SystemExit(f"{name} counted {count:,} of {arguments.events:,}")
                warm = "warm-up" if run == 0 else f"run {run}"
                print(f"{warm:8} {name:15} {count / seconds / 1000:7,.0f} k events/s")
                if run:
                    rates[name].append(count / seconds)
    for name, figures in rates.items():
        print(
            f"{name:15} median {statistics.median(figures) / 1000:,.0f} k events/s "
            f"({min(figures) / 1000:,.0f} to {max(figures) / 1000:,.0f})"
        )
    job = rates.pop("job")
    for name, figures in rates.items():
        ratios = [ours / others for ours, others in zip(job, figures, strict=True)]
        print(f"job / {name}, pair by pair: median {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
