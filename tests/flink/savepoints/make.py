"""Makes a savepoint of the job as it is here: `python -m tests.flink.savepoints.make FOLDER`.

Run it at the last commit of a version, and keep the folder under the version's name, in the place of one that
was made on the way to it: the tests restore them all with the code of today. It holds what is hard to carry
over: a closed and an open minute, a window of five minutes that holds both, deferred dead letters, a ledger
that is not written yet, and a global watermark that is ahead of a partition's.
"""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from confluent_kafka.admin import AdminClient

from contract.settings import Settings
from ctr_platform.devstack.service_list import DATA_SERVICES
from tests.oracle import MINUTE_MS
from tests.support.pipeline import Pipeline, pipeline
from tests.support.stack import running_stack
from tests.support.submitter import submitting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter

TOPIC: Final = "ad_events_raw_of_savepoints"
"""The savepoint holds offsets of this topic."""

BASE_MS: Final = 1_578_268_800_000
"""2020-01-06, a day that no other test has events of."""

HOUR_MS: Final = 60 * MINUTE_MS
PARTITIONS: Final = 4
IDLE_S: Final = 8
"""Half of what makes a partition idle: the others are active when partition 3 is not."""


class SavepointSettings(Settings):
    """Settings of a job whose topic is called as the savepoints have it."""

    @property
    def raw_topic(self) -> str:
        """The topic that the savepoint names."""
        return TOPIC


@contextmanager
def job_of_savepoint(stack: RunningStack, submitter: Submitter) -> Iterator[Pipeline]:
    """The job on the topic that the savepoint names; no job runs yet."""
    settings = SavepointSettings.model_validate(stack.settings.model_dump())
    with pipeline(replace(stack, settings=settings), submitter, flink_checkpoint_interval=3600.0) as job:
        job.base_ms = BASE_MS
        admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
        try:
            yield job
        finally:
            job.cancel()
            for deleted in admin.delete_topics([TOPIC]).values():
                deleted.result()


def send_first(job: Pipeline) -> None:
    """Events of the first minute, one in each partition."""
    for partition in range(PARTITIONS):
        job.event(partition, HOUR_MS + 1_000, site_category="first", click=partition % 2)
    job.flush()


def send_others(job: Pipeline) -> None:
    """Events that close two minutes as soon as partition 3 is idle."""
    for partition in range(PARTITIONS - 1):
        job.event(partition, HOUR_MS + MINUTE_MS + 5_000, site_category="second")
        job.event(partition, HOUR_MS + 3 * MINUTE_MS, site_category="fourth", click=1)
    job.event(0, HOUR_MS + 3 * MINUTE_MS + 30_000, site_category="fourth")
    job.flush()


def send_last(job: Pipeline) -> None:
    """Events late after idleness, events of the open minute, and garbage at the end of each partition."""
    job.event(3, HOUR_MS + 30_000, site_category="late")
    job.event(3, HOUR_MS + 40_000, site_category="late")
    job.event(1, HOUR_MS + 2 * MINUTE_MS + 30_000, site_category="open", click=1)
    job.event(2, HOUR_MS + 2 * MINUTE_MS + 40_000, site_category="open")
    for partition in range(PARTITIONS):
        job.send(partition, b"garbage")
    job.flush()


def main() -> None:
    """Make the savepoint."""
    folder = Path(sys.argv[1])
    with (
        running_stack(DATA_SERVICES) as stack,
        submitting() as submitter,
        job_of_savepoint(stack, submitter) as job,
    ):
        job.submit()
        send_first(job)
        time.sleep(IDLE_S)
        send_others(job)
        second = (BASE_MS + HOUR_MS + MINUTE_MS, "second", 1)
        job.eventually(lambda: second in job.rows(1), "the closed minutes")
        send_last(job)
        job.eventually(lambda: len(job.dead_letters()) == PARTITIONS, "the end of every partition")
        made = urlsplit(job.stop_with_savepoint()).path
        assert len(job.rows(1)) == 2, "the others are open"
        assert len(job.dead_letters()) == PARTITIONS + 2, "the late ones when the savepoint was complete"
        shutil.copytree(made, folder)


if __name__ == "__main__":
    main()
