"""The cluster's logs say what the job does, with its id and the run that submitted it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ctr_platform.devstack.service_list import TASKMANAGER_NAMES

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

RUN: Final = "2f1c7d3e-run"


def _events(job: Pipeline, *services: str) -> list[str]:
    """The lines about the running job, from `event=` on."""
    texts = (job.stack.paths.log(name).read_text(encoding="utf-8") for name in services)
    lines = (line for text in texts for line in text.splitlines() if f"job={job.job_id} run={RUN}" in line)
    return [line[line.index("event=") :].replace(f"job={job.job_id} run={RUN} ", "") for line in lines]


def _submit(job: Pipeline, restore_from: str | None = None) -> None:
    config = replace(job.config, parallelism=1, restore_from=restore_from)
    job.job_id = job.submitter.submit(config, submitted_by=RUN)
    job.wait_running()


def test_the_logs_tell_of_start_restore_and_rejected_records(job: Pipeline) -> None:
    _submit(job)
    assert 'event=started from="the topic\'s beginning"' in _events(job, "jobmanager")
    settings = job.settings
    redis = f"{settings.redis_host}:{settings.redis_port}"
    assert f'event=started message="documents go to Redis at {redis}"' in _events(job, *TASKMANAGER_NAMES)
    job.send(0, b"garbage")
    job.flush()

    def told() -> bool:
        rejected = "event=rejected malformed=1 last_partition=0 last_offset=0 last_problem="
        return any(event.startswith(rejected) for event in _events(job, *TASKMANAGER_NAMES))

    job.eventually(told, "the rejected record in the log")
    savepoint = job.stop_with_savepoint()
    _submit(job, savepoint)
    coordinator = _events(job, "jobmanager")
    assert f"event=started from={savepoint}" in coordinator
    assert any(event.startswith("event=restored checkpoint=") for event in coordinator)
    restored = [each for each in _events(job, *TASKMANAGER_NAMES) if each.startswith("event=restored ")]
    assert restored[0].startswith("event=restored subtask=0 checkpoint=")
