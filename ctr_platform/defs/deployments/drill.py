"""The restart drill: stop with a savepoint, restore, and prove that nothing was lost or doubled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ctr_platform.flink_cluster.bring_up import followed_by
from ctr_platform.operations.moves import Move, go_on, running_order, stop_job
from ctr_platform.operations.proof import Proof, prove
from ctr_platform.operations.upgrade import PROVE_WITHIN_S
from flink.config import JOB_NAME

if TYPE_CHECKING:
    from ctr_platform.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Drill:
    """What a restart drill has shown; without a proof it was a dry run."""

    move: Move
    proof: Proof | None = None


def restart_drill(
    settings: Settings, *, dry_run: bool = False, prove_within_s: float = PROVE_WITHIN_S
) -> Drill:
    """Restart the job on purpose, as a fault would, and prove the windows that were open meanwhile.

    Raises:
        CtrError: the job does not run, or does not come up again.
    """
    order = running_order(settings)
    steps = [
        f"stop {JOB_NAME} with a savepoint, and submit it from there as it was",
        f"prove within {prove_within_s:.0f} s that no record was lost or doubled",
    ]
    if dry_run:
        return Drill(move=Move(steps=steps))
    stopped = stop_job(settings)
    wanted = replace(
        followed_by(order, "restart drill", why="to see that it works", running=True),
        restore_from=stopped.savepoint,
    )
    move = go_on(settings, stopped, wanted)
    proof = prove(settings, stopped.asked_at, within_s=prove_within_s)
    return Drill(move=replace(move, steps=steps), proof=proof)
