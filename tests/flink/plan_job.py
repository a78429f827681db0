"""Plan the job with Flink's own planner and print the plan; nothing runs: `python -m tests.flink.plan_job`.

A process of its own, since pyflink keeps its JVM until Python ends. Arguments: JSON lists of the
arguments of additional dimensions and measures; then the folder whose SQL is planned, if not the job's own.

Prints the nodes of Flink's execution plan, and the uid of every operator, or null.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

import flink.job
from flink.config import Dimension, JobConfig, Measure

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject


def _name(node: JavaObject) -> str:
    """An operator's name, and the size of its windows where that is not part of it."""
    window = re.search(r"GlobalWindowAggregate\(.*size=\[(.*? min)\]", node.getOperatorDescription())
    return " ".join([node.getOperatorName(), *(window.groups() if window else [])])


def main() -> None:
    """Standard input is a `JobConfig` as JSON."""
    dimensions, measures = (json.loads(argument) for argument in sys.argv[1:3])
    flink.job.FOLDER = Path(sys.argv[3]) if sys.argv[3:] else flink.job.FOLDER  # type: ignore[misc]
    config = JobConfig.from_json(sys.stdin.read())
    config = replace(
        config,
        dimensions=(*config.dimensions, *(Dimension(**each) for each in dimensions)),
        measures=(*config.measures, *(Measure(**each) for each in measures)),
    )
    options = flink.job.configuration(config)._j_configuration
    java = get_gateway().jvm.org.apache.flink.streaming.api.environment
    env = StreamExecutionEnvironment(java.StreamExecutionEnvironment(options))
    flink.job.build(env, config)
    graph = env._j_stream_execution_environment.getStreamGraph(False)  # noqa: FBT003 - Java has no names for arguments
    uids = {_name(node): node.getTransformationUID() for node in graph.getStreamNodes().toArray()}
    nodes = json.loads(env.get_execution_plan())["nodes"]
    sys.stdout.write(json.dumps({"nodes": nodes, "uids": uids}))


if __name__ == "__main__":
    main()
