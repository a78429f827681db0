"""A running daemon of Dagster, and a running watchdog, tell a receiver of everything that is wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import dagster as dg
import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData
from pydantic import SecretStr
from sqlalchemy import text

from ctr_platform.definitions import defs
from ctr_platform.defs.catalog import CACHE_1MIN, FLINK_JOB, QUALITY_REPORT, WINDOW_ACCURACY
from ctr_platform.defs.kafka.client import ADMIN_TIMEOUT_S
from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.devstack.probes import wait_until
from tests.support.documents import RUNBOOK, page
from tests.support.isolation import own, use_settings
from tests.support.stores import silent_port, writing_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.receiver import Receiver
    from tests.support.stack import RunningStack, SharedStack

TITLES: Final = {
    "flink_answers of flink/ctr_windows fails",
    "config_as_specified of kafka/topics fails",
    "windows_exact of quality/window_accuracy fails",
    "windows_close of flink/ctr_windows fails",
    "segments_named of quality/report warns",
    "the job apply_retention failed",
    "materialization of flink/ctr_windows failed",
    "redis/metrics_1min is stale",
    "nobody verifies the windows",
}
WITHIN_S: Final = 150
"""A daemon starts in some 15 s, and looks every 30; a busy machine takes a multiple."""


@pytest.fixture
def platform(
    shared: SharedStack, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[RunningStack]:
    """Postgres, Kafka and registry, and where the JobManager should be nobody."""
    with own(shared.need("postgres", "redis", "kafka", "registry")) as made, silent_port() as port:
        mine = made.with_settings(
            flink_rest_url=f"http://127.0.0.1:{port}",
            alert_webhook_url=SecretStr(receiver.url),
            alert_warnings_after=1.0,
            heartbeat_alarm=15.0,
        )
        use_settings(monkeypatch, mine)
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
        (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
        ensure_topics(mine.settings)
        yield mine


@contextmanager
def running(*command: str, log: Path) -> Iterator[None]:
    """Run a module of Python, and all that it starts, until the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], stdout=out, stderr=out, start_new_session=True
        )
        try:
            yield
            assert process.poll() is None, log.read_text(encoding="utf-8")[-1000:]
        finally:
            for way in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, way)
                time.sleep(1)
            process.wait()


def make_trouble(stack: RunningStack) -> None:
    """What a person, a producer or an operator may do wrong."""
    settings = stack.settings
    change = ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, settings.raw_topic, incremental_configs=[change])
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    admin.incremental_alter_configs([resource])[resource].result(ADMIN_TIMEOUT_S)
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(
            text("insert into quality.heartbeats values ('follower', now() - interval '1 hour', 'a *pass*')")
        )
    with dg.DagsterInstance.get() as instance:
        # Which snapshots may go cannot be told without Flink.
        defs().resolve_job_def("apply_retention").execute_in_process(instance=instance, raise_on_error=False)
        defs().resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, asset_selection=[FLINK_JOB], raise_on_error=False
        )
        for key, name, severity in (
            (WINDOW_ACCURACY, "windows_exact", dg.AssetCheckSeverity.ERROR),
            (FLINK_JOB, "windows_close", dg.AssetCheckSeverity.ERROR),
            (QUALITY_REPORT, "segments_named", dg.AssetCheckSeverity.WARN),
        ):
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=key,
                    check_name=name,
                    passed=False,
                    severity=severity,
                    metadata={"worst": "<https://evil.example|open>\n:red_circle: *forged*"},
                )
            )
        instance.report_dagster_event(
            DagsterEvent(
                event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
                job_name="",
                event_specific_data=StepMaterializationData(dg.AssetMaterialization(CACHE_1MIN)),
            ),
            run_id="",
            timestamp=time.time() - 3600,
        )


def test_everything_that_is_wrong_arrives_once_with_what_to_do(
    platform: RunningStack, receiver: Receiver, tmp_path: Path
) -> None:
    make_trouble(platform)
    lines: list[str] = []

    def told() -> set[str]:
        lines.extend(receiver.take())
        return {line.split("*")[1] for line in lines}

    with (
        running("dagster._daemon", "run", "-m", "ctr_platform.definitions", log=tmp_path / "daemon.log"),
        running("ctr_platform", "watch", log=tmp_path / "watchdog.log"),
    ):
        wait_until(lambda: told() >= TITLES, WITHIN_S, "the alerts")
        time.sleep(1)
    told()
    opened = [line for line in lines if line.startswith(":red_circle: ") and line.split("*")[1] in TITLES]
    assert len(opened) == len(TITLES), "each once, though two notify"
    anchors = page(RUNBOOK).anchors
    for line in opened:
        assert "(since 20" in line
        assert line.count("*") == 2
        assert "evil.example|open>" not in line
        [anchor] = re.findall(r"docs/runbook\.md#(\w+)$", line)
        assert anchor in anchors
