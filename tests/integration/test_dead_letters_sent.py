"""A record that was rejected without a dead letter is found: the ledger alone would be right about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from contract.errors import UsageError
from ctr_platform.defs.data_quality.evidence import Unjudged, gather
from ctr_platform.defs.reconciliation.awaited_letters import acknowledge_missing
from ctr_platform.defs.reconciliation.run import recount
from tests.support.hostile import HOUR_MS

if TYPE_CHECKING:
    from ctr_platform.defs.reconciliation.balance import Balance
    from tests.support.pipeline import Pipeline

GARBAGE = b"no wire format"


def _accounted(job: Pipeline, partition: int, *, good: int, malformed: int) -> None:
    """As a job whose dead letters vanish: everything is in its ledger."""
    read = good + malformed
    with job.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into quality.ledger (topic, partition, first_offset, last_offset, checkpoint_id,"
            " records_read, counted, late, malformed, unknown_schema, invalid, job_id, run_started_at,"
            " written_at) values (%s, %s, 0, %s, 1, %s, %s, 0, %s, 0, 0, 'forgetful', now(),"
            " now() - interval '1 minute')",
            (job.settings.raw_topic, partition, read - 1, read, good, malformed),
        )


def _letter(job: Pipeline, offset: int, *, topic: str | None = None) -> None:
    headers = {
        "reason": "malformed",
        "__connect.errors.topic": topic or job.settings.raw_topic,
        "__connect.errors.partition": "1",
        "__connect.errors.offset": str(offset),
    }
    job.send(0, GARBAGE, topic=job.settings.error_topic, headers=headers)
    job.flush()


def _unbalanced(job: Pipeline) -> list[Balance]:
    return [each for each in recount(job.settings).balances if not each.balanced]


def _in_the_report(job: Pipeline) -> int:
    frame = gather(job.settings)["records"]
    assert not isinstance(frame, Unjudged)
    return int(frame["dead_letters_missing"].sum())


def test_a_rejected_record_without_a_dead_letter_is_found_until_acknowledged(job: Pipeline) -> None:
    for _ in range(4):
        job.send(1, GARBAGE)
    job.event(1, HOUR_MS)
    job.flush()
    _accounted(job, 1, good=1, malformed=4)
    [found] = _unbalanced(job)
    assert (found.partition, found.dead_letters_missing, found.records_elsewhere) == (1, 4, 0)
    assert _in_the_report(job) == 4

    _letter(job, 0)
    _letter(job, 0)
    _letter(job, 3, topic="another")
    # Of records that nobody has written: they hold up nothing.
    _letter(job, 10**12)
    _letter(job, 1)
    assert [each.dead_letters_missing for each in _unbalanced(job)] == [2]
    read = "select next_offset from quality.recount_progress where topic = %s and partition = 0"
    assert job.query(read, job.settings.error_topic) == [(5,)]

    with pytest.raises(UsageError, match="say why"):
        acknowledge_missing(job.settings, why=" ", dry_run=False)
    [planned] = acknowledge_missing(job.settings, why="x", dry_run=True)
    assert (planned.first_offset, planned.last_offset, planned.records) == (2, 3, 2)
    assert len(_unbalanced(job)) == 1, "a dry run changes nothing"
    assert acknowledge_missing(job.settings, why="known", dry_run=False) == [planned]
    assert _unbalanced(job) == []
    assert _in_the_report(job) == 0
    with pytest.raises(UsageError, match="no dead letter"):
        acknowledge_missing(job.settings, why="again", dry_run=False)


def test_the_jobs_dead_letters_are_all_found(job: Pipeline) -> None:
    job.submit()
    for partition in range(4):
        job.send(partition, GARBAGE)
    job.close_windows(HOUR_MS)
    job.send(2, GARBAGE)
    job.event(2, HOUR_MS - 3_600_000)  # late
    job.flush()
    job.eventually(lambda: job.read() == 10, "the ledger")

    def all_read() -> bool:
        read = recount(job.settings).reading
        return (
            job.query(
                "select sum(records_read) from quality.recount_progress where topic = %s",
                job.settings.raw_topic,
            )
            == [(10,)]
            and read.records == 0
        )

    job.eventually(all_read, "the recount")
    assert _unbalanced(job) == []
    assert job.query("select count(*) from quality.awaited_letters") == [(0,)]


def test_what_retention_deleted_of_the_error_topic_is_not_missing(job: Pipeline) -> None:
    for _ in range(2):
        job.send(1, GARBAGE)
    job.flush()
    _letter(job, 0)
    _letter(job, 1)
    admin = AdminClient({"bootstrap.servers": job.settings.kafka_bootstrap_servers})
    [deleted] = admin.delete_records([TopicPartition(job.settings.error_topic, 0, 1)]).values()
    deleted.result()
    _accounted(job, 1, good=0, malformed=2)
    assert _unbalanced(job) == []


def test_a_partition_that_lost_all_its_letters_forgives_none_of_later_records(job: Pipeline) -> None:
    _letter(job, 7)
    admin = AdminClient({"bootstrap.servers": job.settings.kafka_bootstrap_servers})
    [deleted] = admin.delete_records([TopicPartition(job.settings.error_topic, 0, 1)]).values()
    deleted.result()
    assert _unbalanced(job) == []
    job.send(1, GARBAGE)
    job.flush()
    _accounted(job, 1, good=0, malformed=1)
    assert [each.dead_letters_missing for each in _unbalanced(job)] == [1]
    assert [each.dead_letters_missing for each in _unbalanced(job)] == [1], "by the next pass too"
