"""`make soak HOURS=0.5 SEED=7`: random faults under traffic, with a running verdict.

Exit status 1: a fault has left something wrong. The seed is kept in `failing-seeds.txt` beside the records.
"""

from __future__ import annotations

import argparse
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError
from ctr_platform.devstack.probes import wait_until
from tests.drills.environment import scene
from tests.drills.soak.faults import KINDS, plan
from tests.drills.soak.inflict import inflict
from tests.drills.soak.report import Record, line
from tests.drills.soak.traffic import bursts, steady, writer_of
from tests.drills.soak.verdict import CURRENT_S, CURRENT_WITHIN_S, Before, Verdict, lag_s, reached
from tests.support.port_ranges import reserve_ports
from tests.support.stack import name_this_run

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.drills.environment import DrillEnvironment

FOLDER: Final = Path("soak-records")
QUIET_S: Final = 15
"""Between two faults: a checkpoint completes."""


def soak(
    *, seconds: float, seed: int, rate: float, only: Collection[str], folder: Path, faults: int | None = None
) -> Record:
    """Inflict faults on a stack of its own until the time is over; returns what it has shown.

    Args:
        seconds: no fault begins later than this.
        seed: of the faults and of the traffic.
        rate: good events/s.
        only: keys of `KINDS`; all by default.
        folder: of the records.
        faults: end after so many.
    """
    with scene(traffic=steady(rate, seed), disks=("postgres", "redis", "kafka"), links=True) as platform:
        available = {*(["disks"] if platform.disks else []), *(["links"] if platform.links else [])}
        record = Record(folder, seed, _setting(rate, available))
        writer = writer_of(platform.stack)
        wait_until(lambda: lag_s(platform) < CURRENT_S, CURRENT_WITHIN_S, "windows that close")
        with bursts(writer, seed):
            until = time.monotonic() + seconds
            for number, fault in enumerate(plan(seed, available=available, only=only)):
                if time.monotonic() > until or number == faults:
                    break
                time.sleep(QUIET_S)
                platform.heard.clear()
                before = Before.of(platform)
                try:
                    inflict(platform, writer, fault)
                    verdict = reached(platform, fault, before)
                except CtrError as error:
                    verdict = Verdict.not_inflicted(fault, before, error)
                record.add(verdict)
                print(line(verdict), flush=True)
                _look_after(platform, before)
        return record


def _look_after(platform: DrillEnvironment, before: Before) -> None:
    """Play the person who has seen a restart: the supervisor gives up after five without one."""
    if platform.restarts(before.at_s) and platform.job() is not None:
        platform.finished(platform.launch("bring_up", {}))


def _setting(rate: float, available: Collection[str]) -> str:
    reasons = {
        "disks": "no disk was full, for mounting takes root",
        "links": "links stayed whole, for there is neither Toxiproxy nor a Go client to build it",
    }
    missing = [reason for name, reason in reasons.items() if name not in available]
    return (
        f"The whole platform, {rate:.0f} events/s in disorder, some late and dead, and bursts of what is "
        f"hostile{''.join(f'; {reason}' for reason in missing)}."
    )


def _main() -> int:
    # Told to end, it ends like Ctrl-C, and stops what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    reserve_ports()
    name_this_run()
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rate", type=float, default=500, help="good events/s")
    parser.add_argument("--only", default="", help=f"kinds of faults, of: {' '.join(KINDS)}")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the records")
    told = parser.parse_args()
    print(f"seed {told.seed}", flush=True)
    record = soak(
        seconds=3600 * told.hours, seed=told.seed, rate=told.rate, only=told.only.split(), folder=told.folder
    )
    return 0 if record.passed else 1


if __name__ == "__main__":
    raise SystemExit(_main())
