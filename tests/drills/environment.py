"""The whole platform under traffic, and the ways to see what it does: for drills."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
from dotenv import dotenv_values

from contract.errors import FlinkRefused, FlinkUnavailable
from contract.stream.load import SHIPPED
from ctr_platform.defs.catalog import FLINK_JOB
from ctr_platform.defs.flink_job.assets import WHY
from ctr_platform.defs.flink_job.rest import FlinkCluster, JobDetail
from ctr_platform.defs.flink_job.supervisor import keep_job_running
from ctr_platform.devstack.lifecycle import start, stop
from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.probes import wait_until
from ctr_platform.devstack.service_list import DATA_SERVICES
from flink.config import JOB_NAME
from tests.drills.disks import mounted
from tests.drills.links import proxied
from tests.support.receiver import Receiver, receiving
from tests.support.stack import Recorder, RunningStack, fresh_home, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from contract.settings import Settings
    from tests.drills.links import Links

PROJECT: Final = Path(__file__).parents[2]
RATE: Final = 500
"""Events/s: every window has some thousands."""

DISKS: Final = {"checkpoints": "checkpoints", "redis": "redis", "kafka": "kafka", "postgres": ""}
"""What may have a disk of its own, and its folder in the stack's data. Postgres' cannot be made at a mount
point: it shares the disk of all data, which comes first, with what has none of its own."""

ASKED_WITHIN_S: Final = 120
"""A look, and the pause after an earlier restart."""
RUNNING_WITHIN_S: Final = 300
RUN_WITHIN_S: Final = 1500
LOOK_S: Final = 0.2
ENDED_WITHIN_S: Final = 60
"""A daemon that is told to end waits for its threads."""
TICKS: Final = f"Checking for new runs for sensor: {keep_job_running.name}"
"""A daemon's log when it evaluates the supervisor."""

RUNS: Final = """
query Runs($since: Float!, $job: String!) {
  runsOrError(filter: {createdAfter: $since, pipelineName: $job}) {
    ... on Runs { results { runId status tags { key value } } }
  }
}"""
CHECKS: Final = """
query Checks($asset: AssetKeyInput!, $name: String!) {
  assetCheckExecutions(assetKey: $asset, checkName: $name, limit: 5) { timestamp status }
}"""
RUN: Final = """
query Run($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      status
      eventConnection { events { __typename
        ... on ExecutionStepFailureEvent { error { message causes { message } } }
        ... on MaterializationEvent { metadataEntries { label ... on FloatMetadataEntry { floatValue }
          ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text } } } } }
    }
  }
}"""
LAUNCH: Final = """
mutation Launch($job: String!, $config: RunConfigData!) {
  launchRun(executionParams: {runConfigData: $config, selector: {
    repositoryLocationName: "ctr_platform", repositoryName: "__repository__", pipelineName: $job
  }}) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}"""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A run that has ended, with what its op reported."""

    success: bool
    error: str
    metadata: Mapping[str, Any]


@dataclass
class DrillEnvironment:
    """A running platform."""

    stack: RunningStack
    receiver: Receiver
    disks: Mapping[str, Path]
    """Folders with a disk of their own, which can be full, by what is in them; none without root."""

    links: Links | None
    """Between the platform and its services, where a drill has asked for them and there is Toxiproxy."""

    traffic: subprocess.Popen[bytes]
    """`ctr produce`."""

    heard: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    # ---- the job ---------------------------------------------------------------------------------

    def job(self) -> JobDetail | None:
        """The job, if all of it runs."""
        return running_job(self.stack)

    def failed_since(self, job_id: str, since_s: float) -> bool:
        """Whether Flink has noticed a failure of the job."""
        try:
            with FlinkCluster(self.settings.flink_rest_url) as cluster:
                return any(each.at_ms / 1000 > since_s for each in cluster.failures(job_id, 1))
        except (FlinkUnavailable, FlinkRefused):
            return False

    def restored_from(self) -> str:
        """The last part of the snapshot's name."""
        job = self.job()
        assert job is not None
        with FlinkCluster(self.settings.flink_rest_url) as cluster:
            uri = cluster.checkpoints(job.id).restored_from
        return uri.rstrip("/").rsplit("/", 1)[-1] if uri else "the beginning"

    def seconds_until_back(self, before: str, since_s: float) -> tuple[float, float]:
        """Until the supervisor asked for a restart, and until all of another job ran."""

        def another() -> bool:
            job = self.job()
            return job is not None and job.id != before

        asked = seconds_until(lambda: bool(self.restarts(since_s)), ASKED_WITHIN_S, "restart", since_s)
        return asked, seconds_until(another, RUNNING_WITHIN_S, "job", since_s)

    # ---- Dagster ---------------------------------------------------------------------------------

    def runs(self, job: str, since_s: float) -> list[dict[str, Any]]:
        """Runs that were created since, newest first."""
        with suppress(httpx.HTTPError):
            answer = self._graphql(RUNS, since=since_s, job=job)
            return list(answer["runsOrError"]["results"])
        return []

    def restarts(self, since_s: float) -> list[dict[str, Any]]:
        """Runs that the supervisor has asked for since, newest first."""
        return [
            run for run in self.runs("bring_up", since_s) if any(tag["key"] == WHY for tag in run["tags"])
        ]

    def check_fails(self, name: str, since_s: float) -> bool:
        """Whether a check of the job has failed since."""
        with suppress(httpx.HTTPError):
            found = self._graphql(CHECKS, asset={"path": FLINK_JOB.path}, name=name)["assetCheckExecutions"]
            return any(each["timestamp"] > since_s and each["status"] == "FAILED" for each in found)
        return False

    def operate(self, job: str, **config: Any) -> str:
        """Carry an operation out; returns the run's id."""
        return self.launch(job, {"ops": {job: {"config": {"dry_run": False, **config}}}})

    def launch(self, job: str, config: Mapping[str, Any]) -> str:
        """Start a run, as the UI would; returns its id."""
        launched = self._graphql(LAUNCH, job=job, config=config)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def finished(self, run_id: str) -> Finished:
        """Wait for a run's end."""

        def status() -> str:
            with suppress(httpx.HTTPError):
                return str(self._graphql(RUN, id=run_id)["runOrError"]["status"])
            return "UNKNOWN"

        wait_until(lambda: status() in ("SUCCESS", "FAILURE", "CANCELED"), RUN_WITHIN_S, f"run {run_id}")
        run = self._graphql(RUN, id=run_id)["runOrError"]
        metadata: dict[str, Any] = {}
        error = ""
        for event in run["eventConnection"]["events"]:
            for entry in event.get("metadataEntries") or []:
                value = next((entry[key] for key in ("floatValue", "intValue", "text") if key in entry), None)
                metadata[entry["label"]] = value
            if failure := event.get("error"):
                error = " ".join([failure["message"], *(cause["message"] for cause in failure["causes"])])
        return Finished(success=run["status"] == "SUCCESS", error=error, metadata=metadata)

    def _graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        url = f"{self.settings.dagster_ui_url}/graphql"
        answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=30)
        answer.raise_for_status()
        body = answer.json()
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    # ---- alerts ----------------------------------------------------------------------------------

    def notified(self, words: str) -> bool:
        """Whether the webhook has received a line with these words."""
        self.heard.extend(self.receiver.take())
        return any(words in line for line in self.heard)


def running_job(stack: RunningStack) -> JobDetail | None:
    """The job of a stack, if all of it runs."""
    try:
        with FlinkCluster(stack.settings.flink_rest_url) as cluster:
            for job in cluster.alive(JOB_NAME):
                detail = cluster.job(job.id)
                if detail.running:
                    return detail
    except (FlinkUnavailable, FlinkRefused):
        pass
    return None


def seconds_until(condition: Callable[[], bool], within_s: float, what: str, since_s: float) -> float:
    """Look often until a condition holds; returns the seconds since a moment."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"no {what} within {within_s:.0f} s"
        time.sleep(LOOK_S)
    return time.time() - since_s


def candidate(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """A checkout of the job's code with some texts replaced: (file, text, replacement)."""
    ignore = shutil.ignore_patterns("__pycache__", "test")
    shutil.copytree(PROJECT / "flink", folder / "flink", ignore=ignore)
    shutil.copytree(PROJECT / "warehouse" / "migrations", folder / "warehouse" / "migrations", ignore=ignore)
    shutil.copytree(PROJECT / "warehouse" / "sql", folder / "warehouse" / "sql")
    for name, old, new in changes:
        file = folder / name
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        file.write_text(text.replace(old, new), encoding="utf-8")
    return folder


@contextmanager
def second_daemon(stack: RunningStack) -> Iterator[Path]:
    """Another process of Dagster's daemon, on the same instance, that ticks; yields its log."""
    service = stack.services["dagster-daemon"]
    known = {name: value or "" for name, value in dotenv_values(stack.paths.stack_env).items()}
    log = stack.home / "second-daemon.log"
    with log.open("wb") as out:
        daemon = subprocess.Popen(
            service.command,
            cwd=service.directory,
            env={**stack.environment, **known, **service.environment},
            stdout=out,
            stderr=out,
        )

        def ticks() -> bool:
            assert daemon.poll() is None, f"the second daemon ended: {log.read_text()[-500:]}"
            return TICKS in log.read_text()

        try:
            wait_until(ticks, service.ready_within_s, "ticks of a second daemon")
            yield log
            assert ticks()
        finally:
            daemon.terminate()
            daemon.wait(service.stop_within_s + ENDED_WITHIN_S)


@contextmanager
def scene(
    *, traffic: Sequence[str] = ("--rate", str(RATE)), disks: Sequence[str] = (), links: bool = False
) -> Iterator[DrillEnvironment]:
    """Everything but the dashboard, with traffic until the end, on free ports.

    Args:
        traffic: options of `ctr produce`.
        disks: keys of `DISKS`, besides that of the checkpoints.
        links: put proxies before the services.
    """
    with ExitStack() as held:
        receiver = held.enter_context(receiving())
        paths = StackPaths(held.enter_context(fresh_home()))
        paths.create()
        # A drill may change it.
        declared = Path(shutil.copytree(SHIPPED, paths.home / "stream"))
        own = {name: paths.data / DISKS[name] for name in (*disks, "checkpoints")}
        separate = {name: folder for name, folder in own.items() if held.enter_context(mounted(folder))}
        made_links = held.enter_context(proxied(paths)) if links else None
        os.environ["ALERT_WEBHOOK_URL"] = receiver.url
        held.callback(os.environ.pop, "ALERT_WEBHOOK_URL")
        names = (*DATA_SERVICES, "dagster-webserver", "dagster-daemon", "follower", "watchdog")
        held.callback(stop, paths.home)
        services = start(
            paths.home,
            names=names,
            free_ports=True,
            variables={**(made_links.variables if made_links else {}), "CTR_STREAM": str(declared)},
            report=Recorder(),
        )
        stack = RunningStack(paths.home, settings_of(paths.home), {each.name: each for each in services})
        wait_until(lambda: running_job(stack) is not None, RUNNING_WITHIN_S, "Dagster to bring the job up")
        yield DrillEnvironment(
            stack=stack,
            receiver=receiver,
            disks=separate,
            links=made_links,
            traffic=held.enter_context(_traffic(stack, traffic)),
        )


@contextmanager
def _traffic(stack: RunningStack, options: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    log = stack.home / "traffic.log"
    with log.open("wb") as out:
        producing = subprocess.Popen(
            [sys.executable, "-m", "ctr_platform", "produce", *options],
            env=stack.environment,
            stdout=out,
            stderr=out,
        )
        try:
            yield producing
            assert producing.poll() is None, f"the traffic ended: {log.read_text()[-500:]}"
        finally:
            producing.kill()
            producing.wait()
