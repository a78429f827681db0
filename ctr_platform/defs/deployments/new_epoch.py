"""Go on with a raw, error or replays topic that was deleted and made anew."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from contract.errors import UsageError
from ctr_platform.defs.flink_job.deploy import bring_up
from ctr_platform.defs.flink_job.desired_state import current_desired_state
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.submission import end_jobs
from ctr_platform.defs.kafka.epochs import replaced_topics, retire
from ctr_platform.defs.reconciliation.state import turn
from flink.config import JOB_NAME
from warehouse.engine import warehouse_errors, writing_engine

if TYPE_CHECKING:
    from contract.settings import Settings
    from ctr_platform.defs.flink_job.deploy import Submission
    from ctr_platform.defs.kafka.epochs import ReplacedTopic

LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class NewEpoch:
    """What has become of it, or with `dry_run` would."""

    steps: list[str]
    replaced: list[ReplacedTopic]
    moved: dict[str, int] = field(default_factory=dict)
    """Rows of the earlier topics that have another name now, by table."""

    submission: Submission | None = None
    """How the job came to run; None: it is to stay stopped, or this was a dry run."""


def begin_epoch(settings: Settings, *, why: str, dry_run: bool = False) -> NewEpoch:
    """Take the topics that are there for what they are, and nothing of the earlier ones' offsets for theirs.

    The job is ended and, unless it is to stay stopped, brought up again: with its open windows, and from the
    new topic's beginning. Windows that may have events of both topics are not verified.

    Args:
        settings: where everything is.
        why: the reason, for the record.
        dry_run: change nothing.

    Raises:
        UsageError: every topic is the one on record, or there is no reason.
        CtrError: a service is unavailable, a recount runs for very long, or the job does not come up.
    """
    if not why.strip():
        raise UsageError("say why a new epoch begins")
    replaced = replaced_topics(settings)
    if not replaced:
        raise UsageError("every topic is the one on record: there is no new epoch to begin")
    steps = [
        f"end {JOB_NAME}: its offsets are of a topic that is gone",
        *(
            f"file what there is of {each.epoch.topic} (id {each.epoch.topic_id}) under "
            f"{each.epoch.topic}@{each.epoch.number}, and take {each.topic_id} for it from now on"
            for each in replaced
        ),
        f"bring {JOB_NAME} up, if it is to run: with its windows, from the new topic's beginning",
    ]
    engine = writing_engine(settings.postgres_url, "ctr-epochs")
    with warehouse_errors(settings.postgres_url), turn(engine), engine.connect() as connection:
        if not dry_run:
            with FlinkCluster(settings.flink_rest_url) as cluster:
                end_jobs(cluster, [each.id for each in cluster.alive(JOB_NAME)])
        moved = retire(connection, replaced, why.strip())
        if dry_run:
            connection.rollback()
        else:
            connection.commit()
            LOG.info("%s: %s", "; ".join(each.epoch.topic for each in replaced), moved)
    desired = None if dry_run else current_desired_state(settings)
    submission = bring_up(settings, desired) if desired and desired.running else None
    return NewEpoch(steps=steps, replaced=replaced, moved=moved, submission=submission)
