"""A topic that is deleted and made anew is another one; offsets that retention deleted unread are told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import TopicPartition

from contract.errors import TopicReplaced, UsageError
from ctr_platform.defs.dead_letters.replay import ReplaySelection, replay
from ctr_platform.defs.deployments.new_epoch import begin_epoch
from ctr_platform.defs.flink_job.deploy import start
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.kafka.client import ADMIN_TIMEOUT_S, admin_client
from ctr_platform.defs.kafka.epochs import topic_epochs
from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.defs.late_events.merge import merge_late_events
from ctr_platform.defs.reconciliation.gaps import Gap, acknowledge_gaps
from ctr_platform.defs.reconciliation.run import recount
from ctr_platform.devstack.probes import wait_until
from tests.oracle import MINUTE_MS

if TYPE_CHECKING:
    from ctr_platform.defs.reconciliation.passes import Recount
    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS
GONE_WITHIN_S = 30


def _make_anew(job: Pipeline) -> None:
    """Delete the raw topic and make it again, as somebody does who wants to empty it."""
    topic, admin = job.settings.raw_topic, admin_client(job.settings)
    admin.delete_topics([topic])[topic].result(ADMIN_TIMEOUT_S)
    wait_until(lambda: topic not in admin.list_topics().topics, GONE_WITHIN_S, "the topic's end")
    ensure_topics(job.settings)


def _delete_until(job: Pipeline, partition: int, offset: int) -> None:
    place = TopicPartition(job.settings.raw_topic, partition, offset)
    admin = admin_client(job.settings)  # alive until the answer is
    [deleted] = admin.delete_records([place]).values()
    deleted.result(ADMIN_TIMEOUT_S)


def _start(job: Pipeline) -> None:
    """Start the job as the platform does."""
    job.job_id = start(job.settings, why="a test").job_id


def _all_refuse(job: Pipeline) -> None:
    """Whoever keeps offsets of the topic."""
    for refused in (
        lambda: start(job.settings),
        lambda: recount(job.settings),
        lambda: merge_late_events(job.settings),
        lambda: replay(job.settings, ReplaySelection(), dry_run=False),
    ):
        with pytest.raises(TopicReplaced, match="begin_topic_epoch"):
            refused()


def _read_until(job: Pipeline, offsets: int) -> Recount:
    """Make passes until one has read up to there, in sum over the partitions."""
    done: list[Recount] = []
    reached = "select coalesce(sum(next_offset), 0)::bigint from quality.recount_progress where topic = %s"

    def read() -> bool:
        done.append(recount(job.settings))
        return int(job.query(reached, job.settings.raw_topic)[0][0]) == offsets

    job.eventually(read, "the recount")
    return done[-1]


def test_a_topic_made_anew_is_read_from_its_beginning_when_a_person_says_so(job: Pipeline) -> None:
    key = (job.base_ms + HOUR_MS, "news", 1)
    _start(job)
    for partition in range(4):
        job.event(partition, HOUR_MS + 1_000)
    job.send(0, b"garbage")
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    job.event(0, HOUR_MS + 1_000, click=1)
    # Of a window that is still open when the topic goes.
    job.event(1, HOUR_MS + 5 * MINUTE_MS + 11_000, site_category="open")
    job.flush()
    job.eventually(lambda: job.read() == 11, "the ledger")
    job.eventually(lambda: key in job.rows(5), "the closed windows")
    _read_until(job, 11)
    job.eventually(lambda: set(job.dead_letters().values()) == {"late", "malformed"}, "the dead letters")
    replay(job.settings, ReplaySelection(), dry_run=False)

    _make_anew(job)
    for partition in range(4):
        # Where the old topic had other records: a late one, and a window that is open.
        job.event(partition, HOUR_MS + 2_000)
        job.event(partition, HOUR_MS + 5 * MINUTE_MS + 12_000, site_category="open")
    job.flush()
    job.eventually(lambda: job.rest("")["state"] == "FAILED", "the job's end")
    with FlinkCluster(job.settings.flink_rest_url) as cluster:
        assert "deleted and made anew" in cluster.failures(job.rest("")["jid"], 1)[0].cause
    _all_refuse(job)

    planned = begin_epoch(job.settings, why="emptied", dry_run=True)
    assert planned.moved["quality.ledger"] > 0
    with pytest.raises(TopicReplaced):
        topic_epochs(job.settings)
    done = begin_epoch(job.settings, why="emptied by mistake")
    assert done.moved == planned.moved
    filed = "select count(*) from quality.ledger where topic = %s"
    assert job.query(filed, f"{job.settings.raw_topic}@1")[0][0] == done.moved["quality.ledger"]

    assert done.submission is not None
    job.job_id = done.submission.job_id
    job.close_windows(HOUR_MS + 15 * MINUTE_MS)
    job.eventually(lambda: job.read() == 12, "the new topic's ledger")
    opened = (job.base_ms + HOUR_MS + 5 * MINUTE_MS, "open", 1)
    job.eventually(lambda: job.rows(5).get(opened) == (5, 0), "the window with events of both topics")
    assert job.rows(1)[key] == (4, 0)
    late = {(partition, 0): "late" for partition in range(4)}
    job.eventually(lambda: late.items() <= job.dead_letters().items(), "dead letters of the new topic")
    # What is late of both topics is merged, though some of it has the same coordinates.
    job.eventually(lambda: merge_late_events(job.settings).waiting == 0, "the merge")
    topic = job.settings.raw_topic
    merged = dict(job.query("select topic, count(*) from realtime.late_events group by topic"))
    assert merged == {topic: 4, f"{topic}@1": 1}
    read = _read_until(job, 12)
    assert read.inexact.number == 0
    assert read.verifiable_from is not None
    assert read.verifiable_from.timestamp() > time.time() - 1
    assert all(each.balanced for each in read.balances)
    # The garbage of the old topic has been replayed, what became of it then has not.
    again = replay(job.settings, ReplaySelection())
    assert (again.replayed.total(), again.already_replayed.total()) == (1, 1)


def test_what_retention_deleted_unread_is_an_error_until_acknowledged(job: Pipeline) -> None:
    _start(job)
    job.close_windows(HOUR_MS)
    job.eventually(lambda: job.read() == 4, "the ledger")
    assert _read_until(job, 4).gaps == []
    savepoint = job.stop_with_savepoint()
    for _ in range(5):
        job.event(2, HOUR_MS + MINUTE_MS)
    job.flush()
    _delete_until(job, 2, 4)
    gap = Gap(topic=job.settings.raw_topic, partition=2, reader="recount", first_offset=1, end_offset=4)
    # That the job lacks them too is not certain before two checkpoints.
    assert gap in recount(job.settings).gaps
    job.submit(restore_from=savepoint)
    job.close_windows(HOUR_MS + 10 * MINUTE_MS)
    job.eventually(lambda: job.ledger()["counted"] == 10, "the ledger, behind the gap")
    # By now two checkpoints have not disproved that the job lacks them too.
    job.eventually(lambda: len(recount(job.settings).gaps) == 2, "the job's gap")
    read = _read_until(job, 3 * 2 + 7)
    assert {(each.reader, each.first_offset, each.end_offset) for each in read.gaps} == {
        ("recount", 1, 4),
        ("job", 1, 4),
    }
    assert all(each.balanced for each in read.balances)
    assert len(acknowledge_gaps(job.settings, why="known", dry_run=True)) == 2
    assert len(recount(job.settings).gaps) == 2
    acknowledge_gaps(job.settings, why="known", dry_run=False)
    assert recount(job.settings).gaps == []
    with pytest.raises(UsageError, match="no gap"):
        acknowledge_gaps(job.settings, why="again", dry_run=False)


def test_markers_that_retention_deletes_are_no_gap(job: Pipeline) -> None:
    _start(job)
    with job.transaction() as send:
        send(1, job.encode(HOUR_MS))
    job.eventually(lambda: job.read() == 1, "the ledger")
    assert _read_until(job, 1).gaps == []
    # The event, and the marker of its transaction's end.
    _delete_until(job, 1, 2)
    assert recount(job.settings).gaps == []
    job.event(1, HOUR_MS)
    job.flush()
    job.eventually(lambda: job.read() == 2, "the ledger")
    assert _read_until(job, 3).gaps == []


def test_without_another_topic_there_is_no_epoch_to_begin(job: Pipeline) -> None:
    topic_epochs(job.settings)
    with pytest.raises(UsageError, match="on record"):
        begin_epoch(job.settings, why="again")
