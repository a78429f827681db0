"""Checkpoints that cannot be read, or written."""

from __future__ import annotations

import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.restore_points import complete_snapshots
from ctr_platform.defs.flink_job.snapshots import METADATA_FILE
from ctr_platform.devstack.probes import wait_until
from tests.drills.disks import full
from tests.drills.environment import seconds_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drills.environment import DrillEnvironment
    from tests.drills.report import Report

pytestmark = [pytest.mark.drill, pytest.mark.timeout(3600)]

ROCKSDB_TABLE_END: Final = struct.pack("<Q", 0x88E241B785F4CFF7)
"""The last bytes of each of RocksDB's tables, by which it knows them."""
STAYS_FULL_S: Final = 20
"""Two more checkpoints fail."""


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _without_table_ends(content: bytes) -> bytes:
    assert ROCKSDB_TABLE_END in content
    return content.replace(ROCKSDB_TABLE_END, bytes(len(ROCKSDB_TABLE_END)))


@pytest.mark.parametrize(
    ("damage", "title"),
    [
        (_cut, "`_metadata` cut in half"),
        # Found only when the TaskManagers open the state. Tables this small lie in the metadata.
        (_without_table_ends, "RocksDB's tables damaged"),
    ],
)
def test_a_corrupted_newest_checkpoint(
    platform: DrillEnvironment, report: Report, damage: Callable[[bytes], bytes], title: str
) -> None:
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)
    with FlinkCluster(platform.settings.flink_rest_url) as cluster:
        cluster.cancel(job.id)
        wait_until(lambda: not cluster.job(job.id).alive, 60, "the job's end")
    newest = complete_snapshots(platform.settings)[0]
    folder = Path(newest.uri.removeprefix("file://"))
    metadata = folder / METADATA_FILE
    metadata.write_bytes(damage(metadata.read_bytes()))
    detected, running = platform.seconds_until_back(job.id, began.timestamp())
    restored = platform.restored_from()
    assert restored != folder.name
    report.verify_deployment(
        platform.settings,
        f"newest checkpoint ({folder.name}): {title}; job cancelled",
        began,
        detected_s=detected,
        running_s=running,
        restored_from=restored,
    )


def test_a_full_checkpoint_disk(platform: DrillEnvironment, report: Report) -> None:
    if "checkpoints" not in platform.disks:
        pytest.skip("mounting a disk for the checkpoints takes root")
    job = platform.job()
    assert job is not None
    began = datetime.now(tz=UTC)

    def failing() -> bool:
        with FlinkCluster(platform.settings.flink_rest_url) as cluster:
            alive = platform.job()
            return alive is not None and cluster.checkpoints(alive.id).failed > 0

    def noticed() -> bool:
        return platform.check_fails("checkpoints_complete", began.timestamp())

    with full(platform.disks["checkpoints"]):
        seconds_until(failing, 120, "failed checkpoint", began.timestamp())
        detected = seconds_until(noticed, 120, "failed check", began.timestamp())
        time.sleep(STAYS_FULL_S)
    freed = time.time()

    def completes() -> bool:
        with FlinkCluster(platform.settings.flink_rest_url) as cluster:
            alive = platform.job()
            latest = cluster.checkpoints(alive.id).latest if alive else None
            return latest is not None and latest.triggered_ms / 1000 > freed

    again = seconds_until(completes, 180, "checkpoint", freed)
    after = platform.job()
    assert after is not None
    report.message(
        f"Full disk: the job counted on; {again:.0f} s after there was room a checkpoint was complete."
    )
    report.verify_deployment(
        platform.settings,
        "checkpoint disk full",
        began,
        detected_s=detected,
        running_s=again if after.id == job.id else None,
        restored_from="- (the job went on)" if after.id == job.id else platform.restored_from(),
    )
