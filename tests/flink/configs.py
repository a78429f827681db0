"""A job's configuration for tests that submit none."""

from __future__ import annotations

from typing import Final

from flink.config import JobConfig
from tests.oracle import schema_file

CONFIG: Final = JobConfig(
    rest_url="http://127.0.0.1:8081",
    front_jar="/ingest.jar",
    bootstrap_servers="127.0.0.1:9092",
    raw_topic="ad_events_raw",
    error_topic="ad_events_error",
    windows_topic="ctr_windows",
    registry_url="http://127.0.0.1:8085",
    reader_schema=schema_file().read_text(encoding="utf-8"),
    jdbc_url="jdbc:postgresql://127.0.0.1:5432/marketing_roas",
    postgres_user="it's me",
    postgres_password="se'c;r--e$t",  # noqa: S106 - of no server
    redis_host="127.0.0.1",
    redis_port=6379,
    parallelism=4,
    checkpoint_interval_s=60,
    checkpoint_timeout_s=600,
    checkpoint_dir="file:///checkpoints/",
    state_backend="rocksdb",
    python_executable="/usr/bin/python3",
    python_path="/site-packages:/project",
)
