"""Pull every plug of the platform under traffic, and watch it come back: `make drill`, some 40 minutes.

Each test is one row of the report, `docs/drill-report.md`: how long until the fault was noticed, how long
until all of the job ran again, what it was restored from, and what the recount says of the windows meanwhile.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from ctr_platform.defs.flink.assets import WHY
from ctr_platform.defs.flink.sensors import MAX_RESTARTS
from ctr_platform.flink_cluster.orders import newest_order
from ctr_platform.flink_cluster.rest import FlinkCluster
from ctr_platform.flink_cluster.snapshots import complete_snapshots
from ctr_platform.operations.proof import prove
from ctr_platform.stack.probes import wait_until
from tests.drills.scene import RUNNING_WITHIN_S, candidate, scene, seconds_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.drills.scene import Scene

pytestmark = [pytest.mark.drill, pytest.mark.timeout(3600)]

REPORT: Final = Path(__file__).parents[2] / "docs" / "drill-report.md"

DETECTED_WITHIN_S: Final = 30
RUNNING_AIM_S: Final = 60
PROVED_WITHIN_S: Final = 240
GIVEN_UP_WITHIN_S: Final = 900
"""Five restarts, the pauses of 10 to 160 s after them, and what the machine takes."""
SETTING: Final = "the whole platform on one machine of two cores, 500 events/s, checkpoints every 10 s."
LEGEND: Final = (
    "Windows: those that the recount has verified, of all that were open at or after the fault. Lost and "
    "doubled: impressions that they lacked, or had too many."
)

QUIET_S: Final = 20
"""Between two faults, so that each meets a stream that flows and checkpoints that complete."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the report."""

    fault: str
    detected_s: float | None
    running_s: float | None
    restored_from: str
    windows: int
    lost: int
    doubled: int

    def line(self) -> str:
        detected, running = (
            "-" if value is None else f"{value:.1f}" for value in (self.detected_s, self.running_s)
        )
        return (
            f"| {self.fault} | {detected} | {running} | {self.restored_from} | {self.windows} "
            f"| {self.lost} | {self.doubled} |"
        )


@dataclass
class Report:
    """What the drill has shown so far."""

    rows: list[Row] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def write(self) -> None:
        lines = [
            "# Drill report",
            "",
            f"Of {datetime.now(tz=UTC):%Y-%m-%d}, by `make drill`: {SETTING} See [there](operations.md).",
            "",
            "| Fault | noticed after, s | runs again after, s | restored from | windows | lost | doubled |",
            "|---|--:|--:|---|--:|--:|--:|",
            *(row.line() for row in self.rows),
            "",
            LEGEND,
            "",
            *(f"- {remark}" for remark in self.remarks),
        ]
        REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    made = Report()
    yield made
    if made.rows:
        made.write()


@pytest.fixture(scope="module")
def platform() -> Iterator[Scene]:
    with scene() as running:
        yield running


@pytest.fixture(autouse=True)
def _quiet(platform: Scene) -> None:
    wait_until(lambda: platform.job() is not None, RUNNING_WITHIN_S, "the job")
    time.sleep(QUIET_S)


def _proved(
    platform: Scene,
    report: Report,
    fault: str,
    since: datetime,
    *,
    detected_s: float | None,
    running_s: float | None,
    restored_from: str,
) -> None:
    """Prove the windows, and write the row."""
    until = datetime.now(tz=UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    proof = prove(platform.settings, since, within_s=PROVED_WITHIN_S, until=until)
    row = Row(
        fault=fault,
        detected_s=detected_s,
        running_s=running_s,
        restored_from=restored_from,
        windows=proof.windows,
        lost=proof.lost,
        doubled=proof.doubled,
    )
    report.rows.append(row)
    print(row.line(), flush=True)
    assert proof.problem is None
    assert proof.windows > 0
    assert (proof.lost, proof.doubled) == (0, 0)


def _restarted(platform: Scene, since_s: float) -> Callable[[], bool]:
    """Whether the supervisor has asked for a run since."""

    def asked() -> bool:
        return any(tag["key"] == WHY for run in platform.runs("bring_up", since_s) for tag in run["tags"])

    return asked


def _another_job(platform: Scene, before: str) -> bool:
    job = platform.job()
    return job is not None and job.id != before


@pytest.mark.parametrize("name", ["taskmanager-1", "taskmanager-2"])
def test_a_killed_taskmanager(platform: Scene, report: Report, name: str) -> None:
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)
    platform.stack.kill(name)
    with FlinkCluster(platform.settings.flink_rest_url) as cluster:
        assert cluster.task_managers()

    def noticed() -> bool:
        return platform.failed_since(job.id, began.timestamp())

    try:
        detected = seconds_until(noticed, 60, "failure", began.timestamp())
    except AssertionError:
        # It carried nothing of the job.
        detected = None
    running = seconds_until(lambda: platform.job() is not None, RUNNING_WITHIN_S, "job", began.timestamp())
    _proved(
        platform,
        report,
        f"`kill -9` {name}" + ("" if detected else " (carried nothing of the job)"),
        began,
        detected_s=detected,
        running_s=running if detected else None,
        restored_from=platform.restored_from() if detected else "-",
    )


def test_a_killed_jobmanager(platform: Scene, report: Report) -> None:
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)
    platform.stack.kill("jobmanager")
    detected = seconds_until(_restarted(platform, began.timestamp()), 120, "restart", began.timestamp())
    running = seconds_until(
        lambda: _another_job(platform, job.id), RUNNING_WITHIN_S, "job", began.timestamp()
    )
    _proved(
        platform,
        report,
        "`kill -9` JobManager (it forgets its jobs)",
        began,
        detected_s=detected,
        running_s=running,
        restored_from=platform.restored_from(),
    )


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("kafka", "Kafka"),
        ("postgres", "Postgres"),
        ("redis", "Redis"),
        ("registry", "Schema Registry"),
        ("dagster-daemon", "Dagster daemon"),
    ],
)
def test_a_killed_service(platform: Scene, report: Report, name: str, title: str) -> None:
    before = platform.job()
    assert before is not None
    began = datetime.now(tz=UTC)
    platform.stack.kill(name)
    detected = time.time() - began.timestamp()
    platform.stack.wait_ready(name)
    running = seconds_until(lambda: platform.job() is not None, RUNNING_WITHIN_S, "job", began.timestamp())
    time.sleep(QUIET_S)
    failed = platform.failed_since(before.id, began.timestamp())
    wait_until(lambda: platform.job() is not None, RUNNING_WITHIN_S, "the job")
    _proved(
        platform,
        report,
        f"`kill -9` {title}",
        began,
        detected_s=detected,
        running_s=running,
        restored_from=platform.restored_from() if failed else "- (the job went on)",
    )


def test_a_job_cancelled_by_hand(platform: Scene, report: Report) -> None:
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)
    with FlinkCluster(platform.settings.flink_rest_url) as cluster:
        cluster.cancel(job.id)
    detected = seconds_until(_restarted(platform, began.timestamp()), 120, "restart", began.timestamp())
    running = seconds_until(
        lambda: _another_job(platform, job.id), RUNNING_WITHIN_S, "job", began.timestamp()
    )
    _proved(
        platform,
        report,
        "job cancelled by hand in the Flink UI",
        began,
        detected_s=detected,
        running_s=running,
        restored_from=platform.restored_from(),
    )


@pytest.mark.parametrize("broken", ["_metadata", "state files"])
def test_a_corrupted_newest_checkpoint(platform: Scene, report: Report, broken: str) -> None:
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)
    with FlinkCluster(platform.settings.flink_rest_url) as cluster:
        cluster.cancel(job.id)
        wait_until(lambda: not cluster.job(job.id).alive, 60, "the job's end")
    newest, before = complete_snapshots(platform.settings.flink_checkpoint_dir)[:2]
    folder = Path(newest.uri.removeprefix("file://"))
    # Small state lies in the metadata itself, the rest in files that checkpoints share: these are its own.
    added = [
        file for file in (folder.parent / "shared").iterdir() if file.stat().st_mtime > before.completed_s
    ]
    places = [folder / "_metadata"] if broken == "_metadata" else added
    if not places:
        pytest.skip("all of the state is small")
    for file in places:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    detected = seconds_until(_restarted(platform, began.timestamp()), 120, "restart", began.timestamp())
    running = seconds_until(
        lambda: _another_job(platform, job.id), RUNNING_WITHIN_S, "job", began.timestamp()
    )
    restored = platform.restored_from()
    assert restored != folder.name
    _proved(
        platform,
        report,
        f"newest checkpoint ({folder.name}) corrupted: {broken}; job cancelled",
        began,
        detected_s=detected,
        running_s=running,
        restored_from=restored,
    )


def test_a_full_checkpoint_disk(platform: Scene, report: Report) -> None:
    if not platform.small_disk:
        pytest.skip("mounting a small disk for the checkpoints takes root")
    job = platform.job()
    assert job is not None
    folder = Path(platform.settings.flink_checkpoint_dir.removeprefix("file://"))
    filler = folder / "filler"
    began = datetime.now(tz=UTC)
    free = shutil.disk_usage(folder).free
    with filler.open("wb") as file:
        file.write(bytes(free - 4096))

    def failing() -> bool:
        with FlinkCluster(platform.settings.flink_rest_url) as cluster:
            alive = platform.job()
            return alive is not None and cluster.checkpoints(alive.id).failed > 0

    def noticed() -> bool:
        return platform.check_fails("checkpoints_complete", began.timestamp())

    seconds_until(failing, 120, "failed checkpoint", began.timestamp())
    detected = seconds_until(noticed, 120, "failed check", began.timestamp())
    time.sleep(QUIET_S)
    filler.unlink()
    freed = time.time()

    def completes() -> bool:
        with FlinkCluster(platform.settings.flink_rest_url) as cluster:
            alive = platform.job()
            latest = cluster.checkpoints(alive.id).latest if alive else None
            return latest is not None and latest.triggered_ms / 1000 > freed

    again = seconds_until(completes, 180, "checkpoint", freed)
    after = platform.job()
    assert after is not None
    report.remarks.append(
        f"Full disk: the job counted on; {again:.0f} s after there was room a checkpoint was complete."
    )
    _proved(
        platform,
        report,
        "checkpoint disk full",
        began,
        detected_s=detected,
        running_s=again if after.id == job.id else None,
        restored_from="- (the job went on)" if after.id == job.id else platform.restored_from(),
    )


def test_a_poison_upgrade_with_broken_sql(platform: Scene, report: Report, tmp_path: Path) -> None:
    job = platform.job()
    assert job is not None
    code = candidate(tmp_path / "code", ("flink/sql/inserts.sql", "FROM windows_1min", "FROM no_such_view"))
    began = datetime.now(tz=UTC)
    done = platform.finished(platform.launch("upgrade_code", _op("upgrade_job", code=str(code))))
    detected = time.time() - began.timestamp()
    assert not done.success
    assert "no_such_view" in done.error
    same = platform.job()
    assert same is not None
    assert same.id == job.id
    _proved(
        platform,
        report,
        "poison upgrade: broken SQL (refused before the job was touched)",
        began,
        detected_s=detected,
        running_s=None,
        restored_from="- (the job went on)",
    )


def test_a_poison_upgrade_that_counts_wrongly(platform: Scene, report: Report, tmp_path: Path) -> None:
    order = newest_order(platform.settings)
    assert order is not None
    code = candidate(
        tmp_path / "code",
        (
            "flink/sql/inserts.sql",
            "${dimensions}, impressions, ${measures}",
            "${dimensions}, impressions * 2, ${measures}",
        ),
    )
    began = datetime.now(tz=UTC)
    done = platform.finished(platform.launch("upgrade_code", _op("upgrade_job", code=str(code))))
    running = time.time() - began.timestamp()
    assert not done.success
    assert "windows are inexact" in done.error
    after = newest_order(platform.settings)
    assert after is not None
    assert (after.operation, after.release) == ("roll back", order.release)
    assert done.metadata["doubled"] > 0
    figures = done.metadata
    report.remarks.append(
        f"Poison upgrade that counts wrongly: the recount of the first window found {figures['doubled']} "
        f"impressions doubled {figures['seconds']:.0f} s after the new code ran, and the old code ran again "
        f"{figures['gap_s']:.1f} s after that."
    )
    _proved(
        platform,
        report,
        "poison upgrade: runs, but counts wrongly (rolled back)",
        began,
        detected_s=running - done.metadata["gap_s"],
        running_s=running,
        restored_from=platform.restored_from(),
    )


def test_an_upgrade_under_traffic(platform: Scene, report: Report, tmp_path: Path) -> None:
    code = candidate(tmp_path / "code", ("flink/job.py", "FLUSH_MS: Final = 200", "FLUSH_MS: Final = 150"))
    began = datetime.now(tz=UTC)
    done = platform.finished(platform.launch("upgrade_code", _op("upgrade_job", code=str(code))))
    assert done.success, done.error
    report.remarks.append(f"Upgrade by savepoint under traffic: a gap of {done.metadata['gap_s']:.1f} s.")
    _proved(
        platform,
        report,
        "(no fault) upgrade by savepoint",
        began,
        detected_s=None,
        running_s=done.metadata["gap_s"],
        restored_from=platform.restored_from(),
    )


def test_the_restart_drill(platform: Scene, report: Report) -> None:
    began = datetime.now(tz=UTC)
    done = platform.finished(platform.launch("restart_drill", _op("drill_restart")))
    assert done.success, done.error
    assert (done.metadata["lost"], done.metadata["doubled"]) == (0, 0)
    _proved(
        platform,
        report,
        "(no fault) the job `restart_drill`",
        began,
        detected_s=None,
        running_s=done.metadata["gap_s"],
        restored_from=platform.restored_from(),
    )


def test_the_supervisor_gives_up_and_says_so(platform: Scene, report: Report) -> None:
    settings = platform.settings
    hidden = settings.release_dir.with_name("hidden")
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)
    since_s = began.timestamp()
    settings.release_dir.rename(hidden)
    try:
        with FlinkCluster(settings.flink_rest_url) as cluster:
            cluster.cancel(job.id)
        told = seconds_until(
            lambda: platform.told("kept_alive of flink/ctr_windows fails"),
            GIVEN_UP_WITHIN_S,
            "alert",
            since_s,
        )
        runs = platform.runs("bring_up", since_s)
        time.sleep(3 * QUIET_S)
        assert len(platform.runs("bring_up", since_s)) == len(runs)
    finally:
        hidden.rename(settings.release_dir)
    # Restarts that helped, after faults of the last half hour, count as well.
    assert 0 < len(runs) <= MAX_RESTARTS
    mended = time.time()
    assert platform.finished(platform.launch("bring_up", {})).success
    over = seconds_until(
        lambda: platform.told("over: *kept_alive of flink/ctr_windows fails"), 180, "recovery", mended
    )
    report.remarks.append(
        f"Loop guard: with no code to submit, {len(runs)} restarts failed, with growing pauses; an alert "
        f"was at the webhook {told:.0f} s after the job was cancelled, no restart followed, and {over:.0f} s "
        "after a person had mended it and asked for the job, the message that it was over."
    )
    _proved(
        platform,
        report,
        "no restart helps: the supervisor gives up, a person mends it",
        began,
        detected_s=told,
        running_s=None,
        restored_from=platform.restored_from(),
    )


def test_the_watchdog_notices_that_nobody_watches(platform: Scene, report: Report) -> None:
    platform.stack.stop("dagster-daemon")
    began = time.time()
    told = seconds_until(lambda: platform.told("nobody watches the Flink job"), 180, "alert", began)
    platform.stack.start("dagster-daemon")
    mended = time.time()
    over = seconds_until(
        lambda: platform.told("over: *nobody watches the Flink job"), 180, "recovery", mended
    )
    report.remarks.append(
        f"Dagster's daemon stopped for good: the watchdog's alert arrived after {told:.0f} s, and that it "
        f"was over {over:.0f} s after the daemon ran again."
    )


def test_a_new_dimension_is_handed_over(platform: Scene, report: Report, tmp_path: Path) -> None:
    """The last: the warehouse is ahead of the installed code then."""
    one = '    Dimension(field="device_type", type="int", document_key="device_ctr"),\n'
    more = one + '    Dimension(field="banner_pos", type="int", document_key="banner_ctr"),\n'
    code = candidate(tmp_path / "code", ("flink/config.py", one, more))
    (code / "warehouse" / "migrations" / "versions" / "9001_banner_pos.py").write_text(
        NEW_DIMENSION, encoding="utf-8"
    )
    began = datetime.now(tz=UTC)
    done = platform.finished(platform.launch("hand_over_code", _op("hand_over_job", code=str(code))))
    assert done.success, done.error
    assert done.metadata["windows"] > 0
    report.remarks.append(
        f"Hand-over to code with another dimension under traffic: a gap of {done.metadata['gap_s']:.1f} s "
        "between the old code's stop, after it had closed its last window, and the new code."
    )
    _proved(
        platform,
        report,
        "(no fault) hand-over to a new dimension",
        began,
        detected_s=None,
        running_s=done.metadata["gap_s"],
        restored_from=platform.restored_from(),
    )


NEW_DIMENSION: Final = '''
"""The banner's position as a dimension."""

import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "0005"
branch_labels = None
depends_on = None
reshapes = True


def upgrade():
    for name in ("counts_1min", "counts_5min"):
        key = ["window_start", "site_category", "device_type", "banner_pos"]
        column = sa.Column("banner_pos", sa.Integer(), nullable=False, server_default="-1")
        op.add_column(name, column, schema="realtime")
        op.drop_constraint(f"{name}_pkey", name, schema="realtime")
        op.create_primary_key(f"{name}_pkey", name, key, schema="realtime")
'''


def _op(name: str, **config: object) -> dict[str, object]:
    return {"ops": {name: {"config": config}}}
