"""How long a quality report takes after weeks of windows.

A stack of its own gets `--days` of closed, verified windows of `--segments` segments each, up to now; then
reports are made one after the other, each with the pages of all that are kept. The first one includes the
import of Great Expectations.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Final

from sqlalchemy import text

from ctr_platform.defs.data_quality.evidence import gather
from ctr_platform.defs.data_quality.report import KEPT_REPORTS, make_report
from tests.support.stack import running_stack
from warehouse.engine import writing_engine
from warehouse.migrate import migrate

FILL: Final = """
INSERT INTO realtime.counts_1min
SELECT at, at + interval '1 minute', 'category ' || segment, segment % 6, 100 + segment, segment
FROM generate_series(
        date_trunc('hour', now(), 'UTC') - make_interval(days => :days),
        date_trunc('hour', now(), 'UTC') - interval '1 minute',
        interval '1 minute'
    ) AS at, generate_series(1, :segments) AS segment;
INSERT INTO realtime.counts_5min
SELECT bin, bin + interval '5 minutes', site_category, device_type, sum(impressions), sum(clicks)
FROM (
    SELECT *, date_bin('5 minutes', window_start, '1970-01-01 00:00:00+00') AS bin FROM realtime.counts_1min
) AS minutes
GROUP BY bin, site_category, device_type;
INSERT INTO quality.recount_counts
SELECT window_start, site_category, device_type, impressions, clicks FROM realtime.counts_1min;
INSERT INTO quality.window_accuracy_history (window_type, window_start, expected_impressions,
    actual_impressions, expected_clicks, actual_clicks, late, accuracy)
SELECT '1min', window_start, sum(impressions), sum(impressions), sum(clicks), sum(clicks), 0, 100
FROM realtime.counts_1min GROUP BY 2
UNION ALL
SELECT '5min', window_start, sum(impressions), sum(impressions), sum(clicks), sum(clicks), 0, 100
FROM realtime.counts_5min GROUP BY 2;
INSERT INTO quality.ledger (topic, partition, first_offset, last_offset, checkpoint_id, records_read,
    counted, late, malformed, unknown_schema, invalid, job_id, run_started_at)
SELECT 'ad_events_raw', p, 1000 * n, 1000 * n + 999, n, 1000, 1000, 0, 0, 0, 0, 'job',
    now() - interval '60 days'
FROM generate_series(0, 1440 * :days) AS n, generate_series(0, 3) AS p;
"""
"""A checkpoint a minute, four partitions."""


def main() -> None:
    """Fill, then report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--runs", type=int, default=KEPT_REPORTS + 5)
    arguments = parser.parse_args()
    with running_stack(("postgres", "redis", "kafka")) as stack:
        migrate(stack.settings.postgres_url)
        engine = writing_engine(stack.settings.postgres_url, "benchmark")
        with engine.begin() as connection:
            for statement in filter(str.strip, FILL.split(";")):
                connection.execute(text(statement), vars(arguments))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        seconds: list[float] = []
        for _ in range(arguments.runs):
            began = time.perf_counter()
            report = make_report(stack.settings)
            seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
        gather(stack.settings)
        gathering = time.perf_counter() - began
    broken = {each.rule.name for each in report.verdicts if not each.passed and each.unjudged is None}
    print(f"{arguments.days} days of {arguments.segments} segments a minute; broken rules: {sorted(broken)}")
    median = statistics.median(seconds[1:])
    print(f"first {seconds[0]:.1f} s; then median {median:.1f} s, last {seconds[-1]:.1f} s")
    print(f"of which the stores' evidence {gathering:.1f} s")


if __name__ == "__main__":
    main()
