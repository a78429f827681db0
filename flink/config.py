"""What the job is told at submission. Plain data: the job reads no environment of its own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

JOB_NAME: Final = "ctr_windows"


@dataclass(frozen=True, kw_only=True)
class JobConfig:
    """Everything one submission of the job needs.

    Times carry their unit in the name. Addresses are as the *cluster* reaches them, but for
    `rest_url`, which the submitting client calls.
    """

    rest_url: str
    front_jar: str
    """Path of the built front, sent along with the job."""

    bootstrap_servers: str
    raw_topic: str
    error_topic: str
    windows_topic: str
    consumer_group: str = JOB_NAME
    registry_url: str

    jdbc_url: str
    postgres_user: str
    postgres_password: str
    redis_host: str
    redis_port: int

    parallelism: int
    checkpoint_interval_s: float
    checkpoint_timeout_s: float
    checkpoint_dir: str
    state_backend: str
    python_executable: str
    """Interpreter on the TaskManagers: it needs apache-flink and redis."""

    restore_from: str | None = None
    """URI of a checkpoint or savepoint; without one the job starts at the topic's beginning."""

    def to_json(self) -> str:
        """Serialize for a submission's standard input (the password stays out of every argv)."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> JobConfig:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))
