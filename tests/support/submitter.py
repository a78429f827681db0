"""A process that submits many jobs by one JVM: what a cold submission spends on starting is spent once.

The child is this file, run as a program: a line of JSON in for a job, a line of JSON out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flink.config import JobConfig

PROJECT: Final = Path(__file__).parents[2]
ENDED_WITHIN_S: Final = 30


class SubmitRefusedError(Exception):
    """The job was not submitted."""

    def __init__(self, reason: str, *, in_restore: bool) -> None:
        super().__init__(reason)
        self.in_restore = in_restore


@dataclass(frozen=True)
class Submitter:
    """Submits the installed code of the job."""

    requests: IO[str]
    answers: IO[str]

    def submit(self, config: JobConfig, *, check: bool = False, submitted_by: str = "") -> str | None:
        """Send the job to the cluster; returns its id, or None with `check`, which only plans.

        Raises:
            SubmitRefusedError: planning failed, or the cluster refuses.
        """
        request = {"config": config.to_json(), "check": check, "submitted_by": submitted_by}
        self.requests.write(json.dumps(request) + "\n")
        self.requests.flush()
        answer = json.loads(self.answers.readline())
        if "error" in answer:
            raise SubmitRefusedError(answer["error"], in_restore=answer["in_restore"])
        job_id: str | None = answer["job_id"]
        return job_id


@contextmanager
def submitting() -> Iterator[Submitter]:
    """Start the process; it ends with the block."""
    from ctr_platform.artifacts.flink import flink_environment  # noqa: PLC0415 - not in the child

    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env={**os.environ, **flink_environment(), "PYTHONPATH": str(PROJECT)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Submitter(process.stdin, process.stdout)
        finally:
            process.stdin.close()
            try:
                process.wait(ENDED_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()


def in_place_of_processes(submitter: Submitter) -> Callable[..., dict[str, Any]]:
    """What the platform may call instead of `submission._run_submit`, which starts a process each time.

    Code that is not what is installed here still gets a process of its own.
    """
    from contract.errors import CtrError, RestoreFailed  # noqa: PLC0415 - not in the child
    from ctr_platform.defs.flink_job import submission  # noqa: PLC0415
    from ctr_platform.defs.flink_job.releases import release_name  # noqa: PLC0415

    cold, installed = submission._run_submit, release_name()

    def run_submit(config: JobConfig, code: Path, *arguments: str) -> dict[str, Any]:
        if release_name(code) != installed:
            return cold(config, code, *arguments)
        submitted_by = dict(pairwise(arguments)).get("--submitted-by", "")
        try:
            job_id = submitter.submit(config, check="--check" in arguments, submitted_by=submitted_by)
        except SubmitRefusedError as error:
            failure = RestoreFailed if error.in_restore else CtrError
            raise failure(f"{config.name} was not submitted: {error}") from None
        return {"job_id": job_id}

    return run_submit


def _serve(requests: IO[str], answers: IO[str]) -> None:
    from py4j.protocol import Py4JJavaError  # noqa: PLC0415 - seconds, and only the child needs them

    from flink import restoring  # noqa: PLC0415
    from flink.config import JobConfig  # noqa: PLC0415
    from flink.submit import _root_cause, submit  # noqa: PLC0415

    for line in requests:
        request = json.loads(line)
        answer: dict[str, Any]
        try:
            config = JobConfig.from_json(request.pop("config"))
            answer = {"job_id": submit(config, **request)}
        except Py4JJavaError as error:
            answer = {"error": _root_cause(error), "in_restore": restoring.failed(str(error))}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    # As `flink.submit` does.
    os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - pyflink's spelling
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the JVM prints as well
    _serve(sys.stdin, replies)
