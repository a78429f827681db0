"""A small typed client of Flink's REST API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import tenacity

from contract.errors import FlinkRefused
from ctr_platform.defs.flink_job.metrics import MetricsReader
from ctr_platform.defs.flink_job.transport import POLL_S, RestApi, root_cause
from flink import restoring

ENDED_STATES: Final = frozenset({"FINISHED", "CANCELED", "FAILED", "SUSPENDED"})


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The cluster as a whole."""

    flink_version: str
    task_managers: int
    slots: int
    free_slots: int


@dataclass(frozen=True, kw_only=True)
class TaskManager:
    """One registered TaskManager."""

    id: str
    slots: int
    free_slots: int
    heartbeat_ms: int
    """When it was last heard of, since the epoch."""


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
class JobDetail(Job):
    """A job and its chains, sources first; none yet while it initializes."""

    vertices: tuple[Vertex, ...]

    @property
    def running(self) -> bool:
        """Whether all of it runs: a job counts as running as soon as it is scheduled."""
        return (
            self.state == "RUNNING"
            and bool(self.vertices)
            and all(vertex.state == "RUNNING" for vertex in self.vertices)
        )

    @property
    def parallelism(self) -> int:
        """Parallelism of its widest chain; 0 while it initializes."""
        return max((vertex.parallelism for vertex in self.vertices), default=0)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failure that made Flink restart the job, or give it up; `cause` is one line."""

    at_ms: int
    task: str | None
    """The subtask that failed; None where the job as a whole did."""

    cause: str
    in_restore: bool
    """Whether a snapshot could not be read, or did not fit."""


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
    latest: Checkpoint | None
    last_failure: str | None
    """Why the newest one that failed did."""

    restored_from: str | None


class FlinkCluster:
    """Talks to one JobManager; use it in a `with`.

    Every method raises `FlinkUnavailable` where the JobManager does not answer in time, and
    `FlinkRefused` where it answers with an error, as it does for a job that it does not know.
    """

    def __init__(self, rest_url: str) -> None:
        self._api = RestApi(rest_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._api.close()

    def overview(self) -> Overview:
        """The cluster's version and room."""
        answer = self._api.get("/overview")
        return Overview(
            flink_version=answer["flink-version"],
            task_managers=answer["taskmanagers"],
            slots=answer["slots-total"],
            free_slots=answer["slots-available"],
        )

    def task_managers(self) -> list[TaskManager]:
        """The registered TaskManagers, by id."""
        found = [
            TaskManager(
                id=each["id"],
                slots=each["slotsNumber"],
                free_slots=each["freeSlots"],
                heartbeat_ms=each["timeSinceLastHeartbeat"],  # a point in time, whatever it is called
            )
            for each in self._api.get("/taskmanagers")["taskmanagers"]
        ]
        return sorted(found, key=lambda each: each.id)

    def jobs(self) -> list[Job]:
        """Every job that the cluster remembers, newest first."""
        found = [Job(**_job(answer)) for answer in self._api.get("/jobs/overview")["jobs"]]
        return sorted(found, key=lambda job: -job.started_ms)

    def alive(self, name: str) -> list[Job]:
        """The jobs of that name that run or will: one, unless something is wrong."""
        return [job for job in self.jobs() if job.name == name and job.alive]

    def job(self, job_id: str) -> JobDetail:
        """One job with its chains."""
        answer = self._api.get(f"/jobs/{job_id}")
        vertices = tuple(
            Vertex(id=each["id"], name=each["name"], parallelism=each["parallelism"], state=each["status"])
            for each in answer["vertices"]
        )
        return JobDetail(**_job(answer), vertices=vertices)

    def failures(self, job_id: str, limit: int) -> list[Failure]:
        """The job's last failures, newest first."""
        answer = self._api.get(f"/jobs/{job_id}/exceptions", maxExceptions=limit)
        return [
            Failure(
                at_ms=each["timestamp"],
                task=each.get("taskName"),
                cause=root_cause(each["stacktrace"]),
                in_restore=restoring.failed(each["stacktrace"]),
            )
            for each in answer["exceptionHistory"]["entries"]
        ]

    def checkpoints(self, job_id: str) -> Checkpoints:
        """The job's checkpoints."""
        answer = self._api.get(f"/jobs/{job_id}/checkpoints")
        counts, latest = answer["counts"], answer["latest"]["completed"]
        return Checkpoints(
            completed=counts["completed"],
            failed=counts["failed"],
            latest=latest
            and Checkpoint(
                id=latest["id"],
                triggered_ms=latest["trigger_timestamp"],
                duration_ms=latest["end_to_end_duration"],
                size_bytes=latest["state_size"],
                path=latest["external_path"],
                is_savepoint=latest["is_savepoint"],
            ),
            last_failure=(answer["latest"]["failed"] or {}).get("failure_message"),
            restored_from=(answer["latest"]["restored"] or {}).get("external_path"),
        )

    def metrics(self, job_id: str) -> MetricsReader:
        """What the job measures of itself."""
        return MetricsReader(self._api, job_id)

    def cancel(self, job_id: str) -> None:
        """Ask for the job's end; its retained checkpoints stay."""
        self._api.send("PATCH", f"/jobs/{job_id}")

    def savepoint(self, job_id: str, directory: str, within_s: float) -> str:
        """Make a savepoint in a folder (a URI), and let the job go on; returns the savepoint's path.

        Raises:
            FlinkRefused: it failed, or was not complete in time.
        """
        body = {"cancel-job": False, "target-directory": directory}
        return self._completed(job_id, self._api.send("POST", f"/jobs/{job_id}/savepoints", body), within_s)

    def stop_with_savepoint(self, job_id: str, directory: str, within_s: float) -> str:
        """Stop the job with a savepoint in a folder (a URI); returns the savepoint's path.

        Never drains: that would store the end of all time as the watermark. Flink deletes the checkpoints of
        a job that it stops.

        Raises:
            FlinkRefused: the savepoint failed, or was not complete in time.
        """
        body = {"drain": False, "targetDirectory": directory}
        return self._completed(job_id, self._api.send("POST", f"/jobs/{job_id}/stop", body), within_s)

    def _completed(self, job_id: str, asked: dict[str, str], within_s: float) -> str:
        path = f"/jobs/{job_id}/savepoints/{asked['request-id']}"
        try:
            answer = tenacity.Retrying(
                retry=tenacity.retry_if_result(lambda found: found["status"]["id"] != "COMPLETED"),
                wait=tenacity.wait_fixed(POLL_S),
                stop=tenacity.stop_after_delay(within_s),
            )(self._api.get, path)
        except tenacity.RetryError:
            raise FlinkRefused(f"the savepoint of job {job_id} took more than {within_s:.0f} s") from None
        operation = answer["operation"]
        if "location" not in operation:
            cause = root_cause(operation["failure-cause"]["stack-trace"])
            raise FlinkRefused(f"the savepoint of job {job_id} failed: {cause}")
        return str(operation["location"])


def _job(answer: Any) -> dict[str, Any]:
    """What the cluster says of a job in its list and in its detail alike."""
    return {
        "id": answer["jid"],
        "name": answer["name"],
        "state": answer["state"],
        "started_ms": answer["start-time"],
        "duration_ms": answer["duration"],
    }
