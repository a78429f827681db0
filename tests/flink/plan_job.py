"""Plan the job with Flink's own planner and print the plan; nothing runs: `python -m tests.flink.plan_job`.

A process of its own, since pyflink keeps its JVM until Python ends. Arguments: JSON lists of the
arguments of additional dimensions and measures.
"""

from __future__ import annotations

import json
import sys

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

import flink.job
from flink.config import DIMENSIONS, MEASURES, Dimension, JobConfig, Measure


def main() -> None:
    """Standard input is a `JobConfig` as JSON."""
    dimensions, measures = (json.loads(argument) for argument in sys.argv[1:])
    vars(flink.job).update(
        DIMENSIONS=(*DIMENSIONS, *(Dimension(**each) for each in dimensions)),
        MEASURES=(*MEASURES, *(Measure(**each) for each in measures)),
    )
    config = JobConfig.from_json(sys.stdin.read())
    options = flink.job.configuration(config)._j_configuration
    java = get_gateway().jvm.org.apache.flink.streaming.api.environment
    env = StreamExecutionEnvironment(java.StreamExecutionEnvironment(options))
    flink.job.build(env, config)
    sys.stdout.write(env.get_execution_plan())


if __name__ == "__main__":
    main()
