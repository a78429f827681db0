"""Submit the job to a cluster: `python -m flink.submit < config.json`.

Standard input is a `JobConfig` as JSON. The last line of standard output is `{"job_id": "..."}`; the job
goes on without this process. On failure the last line of standard error says why; the exit status is 1, or 3
where the job cannot be restored from its snapshot.

With `--check` the whole job is planned, nothing is sent, and the job id is null. `--submitted-by` names the
run of Dagster that submits, which the job logs; older releases ignore it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from urllib.parse import urlsplit

import cloudpickle
from py4j.protocol import Py4JJavaError
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

import flink
from flink import restoring
from flink.config import JobConfig
from flink.job import build, configuration


def address_options(rest_url: str) -> dict[str, str]:
    """Return the address of the cluster as Flink's client takes it: what a browser would open."""
    address = urlsplit(rest_url)
    secure = address.scheme == "https"
    return {
        "rest.address": address.hostname or "localhost",
        "rest.port": str(address.port or (443 if secure else 80)),
        "rest.path": address.path.rstrip("/"),
        "security.ssl.rest.enabled": str(secure).lower(),
    }


def submit(config: JobConfig, *, check: bool = False, submitted_by: str = "") -> str | None:
    """Send the job to the cluster at `config.rest_url`; returns its id as soon as the cluster has it.

    With `check` the job is only planned.
    """
    # The job carries its Python code: a TaskManager would go on with the modules of an earlier release.
    cloudpickle.register_pickle_by_value(flink)
    options = configuration(config)
    options.set_string("execution.target", "remote")
    options.set_string("execution.attached", "false")
    for key, value in address_options(config.rest_url).items():
        options.set_string(key, value)
    # `get_execution_environment` would make a local cluster of its own, whatever the target.
    java_env = get_gateway().jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment(
        options._j_configuration  # noqa: SLF001 - pyflink has no public way
    )
    env = StreamExecutionEnvironment(java_env)
    build(env, config, submitted_by)
    if check:
        java_env.getStreamGraph(False).getJobGraph()  # noqa: FBT003 - Java has no names for arguments
        return None
    return str(env.execute_async(config.name).get_job_id())


def _root_cause(error: Py4JJavaError) -> str:
    cause = error.java_exception
    while cause.getCause() is not None:
        cause = cause.getCause()
    return " ".join(str(cause.toString()).split())


def main() -> int:
    """Entry point; returns the exit status."""
    # Else a client may choose to run the job's Python functions in itself, and they die with it.
    os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - pyflink's spelling
    parser = argparse.ArgumentParser(prog="flink.submit")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--submitted-by", default="")
    arguments = parser.parse_args()
    config = JobConfig.from_json(sys.stdin.read())
    try:
        job_id = submit(config, check=arguments.check, submitted_by=arguments.submitted_by)
    except Py4JJavaError as error:
        sys.stderr.write(f"{_root_cause(error)}\n")
        return restoring.EXIT_STATUS if restoring.failed(str(error)) else 1
    sys.stdout.write(f"{json.dumps({'job_id': job_id})}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
