"""Upgrades, poisoned and good, the restart drill, and a cutover: operations under traffic."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from contract.stream.load import FILE, SHIPPED
from ctr_platform.defs.flink_job.desired_state import current_desired_state
from tests.drills.environment import candidate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drills.environment import DrillEnvironment
    from tests.drills.report import Report

pytestmark = [pytest.mark.drill, pytest.mark.timeout(3600)]


def test_a_poison_upgrade_with_broken_sql(platform: DrillEnvironment, report: Report, tmp_path: Path) -> None:
    job = platform.job()
    assert job is not None
    code = candidate(tmp_path / "code", ("flink/sql/inserts.sql", "FROM windows_1min", "FROM no_such_view"))
    began = datetime.now(tz=UTC)
    done = platform.finished(platform.operate("upgrade_code", code=str(code)))
    detected = time.time() - began.timestamp()
    assert not done.success
    assert "no_such_view" in done.error
    same = platform.job()
    assert same is not None
    assert same.id == job.id
    report.verify_deployment(
        platform.settings,
        "poison upgrade: broken SQL (refused before the job was touched)",
        began,
        detected_s=detected,
        running_s=None,
        restored_from="- (the job went on)",
    )


def test_a_poison_upgrade_that_counts_wrongly(
    platform: DrillEnvironment, report: Report, tmp_path: Path
) -> None:
    desired = current_desired_state(platform.settings)
    assert desired is not None
    code = candidate(
        tmp_path / "code",
        (
            "flink/sql/inserts.sql",
            "${dimensions}, impressions, ${measures}",
            "${dimensions}, impressions * 2, ${measures}",
        ),
    )
    began = datetime.now(tz=UTC)
    done = platform.finished(platform.operate("upgrade_code", code=str(code)))
    running = time.time() - began.timestamp()
    assert not done.success
    assert "windows are inexact" in done.error
    after = current_desired_state(platform.settings)
    assert after is not None
    assert (after.operation, after.release) == ("roll back", desired.release)
    assert done.metadata["doubled"] > 0
    figures = done.metadata
    report.message(
        f"Poison upgrade that counts wrongly: the recount of the first window found {figures['doubled']} "
        f"impressions doubled {figures['seconds']:.0f} s after the new code ran, and the old code ran again "
        f"{figures['gap_s']:.1f} s after that."
    )
    report.verify_deployment(
        platform.settings,
        "poison upgrade: runs, but counts wrongly (rolled back)",
        began,
        detected_s=running - done.metadata["gap_s"],
        running_s=running,
        restored_from=platform.restored_from(),
    )


def test_an_upgrade_under_traffic(platform: DrillEnvironment, report: Report, tmp_path: Path) -> None:
    code = candidate(tmp_path / "code", ("flink/job.py", "FLUSH_MS: Final = 200", "FLUSH_MS: Final = 150"))
    began = datetime.now(tz=UTC)
    done = platform.finished(platform.operate("upgrade_code", code=str(code)))
    assert done.success, done.error
    report.message(f"Upgrade by savepoint under traffic: a gap of {done.metadata['gap_s']:.1f} s.")
    report.verify_deployment(
        platform.settings,
        "(no fault) upgrade by savepoint",
        began,
        detected_s=None,
        running_s=done.metadata["gap_s"],
        restored_from=platform.restored_from(),
    )


def test_the_restart_drill(platform: DrillEnvironment, report: Report) -> None:
    began = datetime.now(tz=UTC)
    done = platform.finished(platform.operate("restart_drill"))
    assert done.success, done.error
    assert (done.metadata["lost"], done.metadata["doubled"]) == (0, 0)
    report.verify_deployment(
        platform.settings,
        "(no fault) the job `restart_drill`",
        began,
        detected_s=None,
        running_s=done.metadata["gap_s"],
        restored_from=platform.restored_from(),
    )


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_dimension_is_changed_under_traffic(
    platform: DrillEnvironment, report: Report, change: str
) -> None:
    declaration = platform.settings.ctr_stream / FILE
    shipped = (SHIPPED / FILE).read_text(encoding="utf-8")
    declaration.write_text(shipped + (BANNER if change == "added" else ""), encoding="utf-8")
    began = datetime.now(tz=UTC)
    done = platform.finished(platform.operate("cut_over_code"))
    assert done.success, done.error
    assert done.metadata["windows"] > 0
    assert (done.metadata["lost"], done.metadata["doubled"]) == (0, 0)
    report.message(
        f"Cutover under traffic, a dimension {change}: {done.metadata['gap_s']:.1f} s between the old "
        "job's stop, after it had closed its last window, and the new one."
    )
    report.verify_deployment(
        platform.settings,
        f"(no fault) cutover: a dimension {change}",
        began,
        detected_s=None,
        running_s=done.metadata["gap_s"],
        restored_from=platform.restored_from(),
    )


BANNER: Final = """
[[dimensions]]
field = "banner_pos"
title = { en = "Banner position" }
rates = "banner_ctr"
"""
