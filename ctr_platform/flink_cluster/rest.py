"""A small typed client of Flink's REST API."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
import tenacity

from ctr_platform.errors import CtrError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

TIMEOUT_S: Final = 5.0
"""The JobManager answers in milliseconds; one that takes longer is as good as away."""

CONNECT_RETRIES: Final = 2
"""Of a refused connection, for GETs and others alike: nothing has been asked of the cluster then."""

POLL_S: Final = 0.5
"""Between two looks at a savepoint or a starting job."""

METRICS_WITHIN_S: Final = 15.0
"""The JobManager asks the TaskManagers at most every 10 s."""

ENDED_STATES: Final = frozenset({"FINISHED", "CANCELED", "FAILED", "SUSPENDED"})


class FlinkUnavailable(CtrError):  # noqa: N818 - a state of the world, not a mistake
    """The JobManager does not answer."""


class FlinkRefused(CtrError):  # noqa: N818 - the cluster's answer, not a mistake of ours
    """The JobManager answered with an error."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of the cluster."""

    id: str
    name: str
    state: str
    started_ms: int
    duration_ms: int

    @property
    def alive(self) -> bool:
        """Whether it runs, or Flink will make it run."""
        return self.state not in ENDED_STATES


@dataclass(frozen=True, kw_only=True)
class Vertex:
    """One chain of operators of a job."""

    id: str
    name: str
    parallelism: int
    state: str


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A completed checkpoint or savepoint."""

    id: int
    triggered_ms: int
    duration_ms: int
    size_bytes: int
    path: str
    is_savepoint: bool


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """What the cluster knows of a job's checkpoints since its submission."""

    completed: int
    failed: int
    in_progress: int
    latest: Checkpoint | None
    restored_from: str | None


class FlinkCluster:
    """Talks to one JobManager; use it in a `with`.

    Every method raises `FlinkUnavailable` where the JobManager does not answer in `TIMEOUT_S`, and
    `FlinkRefused` where it answers with an error.
    """

    def __init__(self, rest_url: str) -> None:
        self._url = rest_url
        self._http = httpx.Client(
            base_url=rest_url,
            timeout=TIMEOUT_S,
            transport=httpx.HTTPTransport(retries=CONNECT_RETRIES),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def jobs(self) -> list[Job]:
        """Every job that the cluster remembers, newest first."""
        found = [
            Job(
                id=job["jid"],
                name=job["name"],
                state=job["state"],
                started_ms=job["start-time"],
                duration_ms=job["duration"],
            )
            for job in self._get("/jobs/overview")["jobs"]
        ]
        return sorted(found, key=lambda job: -job.started_ms)

    def alive(self, name: str) -> list[Job]:
        """The jobs of that name that run or will: one, unless something is wrong."""
        return [job for job in self.jobs() if job.name == name and job.alive]

    def vertices(self, job_id: str) -> list[Vertex]:
        """The chains of a job, sources first."""
        return [
            Vertex(id=each["id"], name=each["name"], parallelism=each["parallelism"], state=each["status"])
            for each in self._get(f"/jobs/{job_id}")["vertices"]
        ]

    def checkpoints(self, job_id: str) -> Checkpoints:
        """The job's checkpoints."""
        answer = self._get(f"/jobs/{job_id}/checkpoints")
        counts, latest = answer["counts"], answer["latest"]["completed"]
        restored = answer["latest"]["restored"]
        return Checkpoints(
            completed=counts["completed"],
            failed=counts["failed"],
            in_progress=counts["in_progress"],
            latest=None
            if latest is None
            else Checkpoint(
                id=latest["id"],
                triggered_ms=latest["trigger_timestamp"],
                duration_ms=latest["end_to_end_duration"],
                size_bytes=latest["state_size"],
                path=latest["external_path"],
                is_savepoint=latest["is_savepoint"],
            ),
            restored_from=None if restored is None else restored["external_path"],
        )

    def root_exception(self, job_id: str) -> str | None:
        """First line of why the job failed last; None if it never did."""
        entries = self._get(f"/jobs/{job_id}/exceptions", maxExceptions=1)["exceptionHistory"]["entries"]
        return entries[0]["stacktrace"].splitlines()[0] if entries else None

    def summed_metrics(self, job_id: str, name_part: str) -> dict[str, int]:
        """Sum over the subtasks of every operator metric whose name holds `name_part`, by full name.

        The JobManager collects metrics when somebody asks for them: the first answer of a while is empty, so
        it is asked again. Still empty after `METRICS_WITHIN_S`: the job has no such metric.
        """
        return tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda sums: not sums),
            wait=tenacity.wait_fixed(POLL_S),
            stop=tenacity.stop_after_delay(METRICS_WITHIN_S),
            retry_error_callback=lambda _state: {},
        )(self._summed_metrics, job_id, name_part)

    def _summed_metrics(self, job_id: str, name_part: str) -> dict[str, int]:
        sums: dict[str, int] = {}
        for vertex in self.vertices(job_id):
            path = f"/jobs/{job_id}/vertices/{vertex.id}/subtasks/metrics"
            names = [each["id"] for each in self._get(path) if name_part in each["id"]]
            if names:
                answer = self._get(path, get=",".join(names), agg="sum")
                sums |= {each["id"]: int(each["sum"]) for each in answer}
        return sums

    def task_managers(self) -> int:
        """How many TaskManagers are registered."""
        return len(self._get("/taskmanagers")["taskmanagers"])

    def cancel(self, job_id: str) -> None:
        """Ask for the job's end; its retained checkpoints stay."""
        self._send("PATCH", f"/jobs/{job_id}")

    def stop_with_savepoint(self, job_id: str, directory: str, within_s: float) -> str:
        """Stop the job with a savepoint in a folder (a URI); returns the savepoint's path.

        Never drains: that would store the end of all time as the watermark.

        Raises:
            FlinkRefused: the savepoint failed, or was not complete in time.
        """
        trigger = self._send("POST", f"/jobs/{job_id}/stop", {"drain": False, "targetDirectory": directory})[
            "request-id"
        ]
        path = f"/jobs/{job_id}/savepoints/{trigger}"
        try:
            answer = tenacity.Retrying(
                retry=tenacity.retry_if_result(lambda found: found["status"]["id"] != "COMPLETED"),
                wait=tenacity.wait_fixed(POLL_S),
                stop=tenacity.stop_after_delay(within_s),
            )(self._get, path)
        except tenacity.RetryError:
            raise FlinkRefused(f"the savepoint of job {job_id} took more than {within_s:.0f} s") from None
        operation = answer["operation"]
        if "location" not in operation:
            cause = operation["failure-cause"]["class"]
            raise FlinkRefused(f"the savepoint of job {job_id} failed: {cause}")
        return str(operation["location"])

    def _get(self, path: str, **parameters: str | int) -> Any:
        with self._errors(path):
            answer = self._http.get(path, params=parameters)
            answer.raise_for_status()
            return answer.json()

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        with self._errors(path):
            answer = self._http.request(method, path, json=body)
            answer.raise_for_status()
            return answer.json()

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPStatusError as error:
            code = error.response.status_code
            raise FlinkRefused(f"Flink at {self._url} answers {path} with HTTP {code}") from None
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise FlinkUnavailable(f"Flink at {self._url} does not answer: {reason}") from None
