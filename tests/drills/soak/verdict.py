"""What a fault has left: is all well, since when, who healed it, and is every window exact?"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from contract.errors import CtrError, FlinkRefused, FlinkUnavailable, Unavailable
from ctr_platform.defs.deployments.verification import verify_deployment
from ctr_platform.defs.flink_job.assets import WHY
from ctr_platform.defs.flink_job.liveness import check_liveness
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.devstack.probes import answers, wait_until
from warehouse.engine import writing_engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.drills.environment import DrillEnvironment
    from tests.drills.soak.faults import Fault

HEALTHY_WITHIN_S: Final = 420
"""The supervisor's pause after several restarts, and a start on a machine without a free core."""
CURRENT_WITHIN_S: Final = 300
"""What came meanwhile is read again many times as fast as it came."""
CURRENT_S: Final = 45
"""Lag of the ledger's watermark in calm: 10 s by contract, a checkpoint every 10 s, and the disorder of the
traffic, with as much again for a busy machine."""
VERIFIED_WITHIN_S: Final = 240


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One line of the record."""

    fault: str
    began: str
    """ISO, UTC."""
    healthy_s: float | None = None
    """From the fault's end until the job and every service ran; None: they did not in time."""
    current_s: float | None = None
    """From the fault's end until windows closed as in calm."""
    windows: int = 0
    """Verified, of those open at or after the fault's beginning."""
    lost: int = 0
    doubled: int = 0
    inexact: int = 0
    healed_by: str = ""
    alerts: tuple[str, ...] = ()
    problem: str | None = None

    @classmethod
    def not_inflicted(cls, fault: Fault, before: Before, error: CtrError) -> Verdict:
        """Of a fault that could not be carried out."""
        return cls(fault=fault.title, began=before.began, problem=f"not inflicted: {error}")

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None and not self.inexact and self.windows > 0

    def record(self) -> dict[str, Any]:
        """For a line of JSON."""
        return {**asdict(self), "passed": self.passed}


@dataclass(frozen=True, kw_only=True)
class Before:
    """What there was before a fault."""

    at_s: float
    job_id: str
    """Empty: none ran."""
    pids: Mapping[str, int]

    @property
    def began(self) -> str:
        """When the fault began: ISO, UTC."""
        return datetime.fromtimestamp(self.at_s, tz=UTC).isoformat(timespec="seconds")

    @classmethod
    def of(cls, platform: DrillEnvironment) -> Before:
        """Take it down."""
        job = platform.job()
        return cls(at_s=time.time(), job_id=job.id if job else "", pids=_pids(platform))


def reached(platform: DrillEnvironment, fault: Fault, before: Before) -> Verdict:
    """Wait until all is well and the windows that the fault met are verified."""
    ended_s = time.time()
    since = datetime.fromtimestamp(before.at_s, tz=UTC)
    known: dict[str, Any] = {"fault": fault.title, "began": before.began}
    try:
        wait_until(lambda: _healthy(platform), HEALTHY_WITHIN_S, "a running job and all services")
        known["healthy_s"] = round(time.time() - ended_s, 1)
        wait_until(lambda: lag_s(platform) < CURRENT_S, CURRENT_WITHIN_S, "windows that close as in calm")
        known["current_s"] = round(time.time() - ended_s, 1)
        until = datetime.fromtimestamp(ended_s, tz=UTC).replace(second=0, microsecond=0) + timedelta(
            minutes=1
        )
        found = verify_deployment(platform.settings, since, within_s=VERIFIED_WITHIN_S, until=until)
        known |= {"windows": found.windows, "inexact": found.inexact, "problem": found.problem}
        known |= {"lost": found.lost, "doubled": found.doubled}
    except Unavailable as late:
        known["problem"] = str(late).replace("did not answer", "did not come")
    except CtrError as error:
        known["problem"] = str(error)
    platform.notified("")  # takes in what has arrived
    return Verdict(
        **known,
        healed_by=", ".join(healers(**_changes(platform, before))) or "nobody had to",
        alerts=tuple(platform.heard),
    )


def healers(*, replaced: Sequence[str], why: Sequence[str], restarted_by_flink: bool) -> list[str]:
    """Say who has healed a fault.

    Args:
        replaced: services that have another process.
        why: problems for which the supervisor has asked for a new job.
        restarted_by_flink: whether Flink has restarted the job by itself.
    """
    found = [f"supervisord: {', '.join(replaced)}"] if replaced else []
    if restarted_by_flink:
        found.append("Flink's restart")
    if why:
        found.append(f"supervisor: {', '.join(why)}")
    return found


def lag_s(platform: DrillEnvironment) -> float:
    """How far the job's watermark was behind the clock at its last checkpoint; infinite: nobody can say."""
    engine = writing_engine(platform.settings.postgres_url, "ctr-soak")
    query = text(
        "select extract(epoch from now() - job_watermark) from quality.ledger"
        " order by run_started_at desc, checkpoint_id desc limit 1"
    )
    try:
        with engine.connect() as connection:
            return float(connection.scalar(query) or math.inf)
    except SQLAlchemyError:
        return math.inf
    finally:
        engine.dispose()


def _healthy(platform: DrillEnvironment) -> bool:
    states = platform.stack.supervisor.states()
    services = platform.stack.services.values()
    if not all(states[service.name].state == "RUNNING" and answers(service.probe) for service in services):
        return False
    try:
        with FlinkCluster(platform.settings.flink_rest_url) as cluster:
            well = check_liveness(cluster, platform.settings).problem is None
    except (FlinkUnavailable, FlinkRefused):
        return False
    return well and platform.job() is not None


def _pids(platform: DrillEnvironment) -> dict[str, int]:
    return {name: state.pid for name, state in platform.stack.supervisor.states().items()}


def _changes(platform: DrillEnvironment, before: Before) -> dict[str, Any]:
    now = _pids(platform)
    tags = [tag for run in platform.restarts(before.at_s) for tag in run["tags"]]
    return {
        "replaced": sorted(name for name, pid in before.pids.items() if now.get(name) != pid),
        "why": [tag["value"] for tag in tags if tag["key"] == WHY],
        "restarted_by_flink": platform.failed_since(before.job_id, before.at_s),
    }
