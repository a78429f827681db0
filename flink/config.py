"""What the job is told at submission. Plain data: the job reads no environment of its own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final, Literal

JOB_NAME: Final = "ctr_windows"
REPAIR_JOB_NAME: Final = "ctr_repair"


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A field of the event by which the counts are split."""

    field: str
    type: Literal["string", "int"]
    document_key: str
    """Where a window document keeps the click-through rate by this dimension's values."""

    @property
    def sql_type(self) -> str:
        """Flink SQL's type of the column."""
        return {"string": "STRING", "int": "INT"}[self.type]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """An integer field of the event that is summed beside the number of impressions."""

    field: str
    column: str
    """The sum's column in the warehouse."""


DIMENSIONS: Final = (
    Dimension(field="site_category", type="string", document_key="category_ctr"),
    Dimension(field="device_type", type="int", document_key="device_ctr"),
)
"""A new dimension is one more line here and a column in the warehouse's counts."""

MEASURES: Final = (Measure(field="click", column="clicks"),)
"""The first must be the clicks: rates are made of it."""


@dataclass(frozen=True, kw_only=True)
class Staging:
    """Windows to recompute into the warehouse's staging table, and nothing else."""

    repair_id: str
    """Names the rows in `quality.repair_counts`."""

    count_from_ms: int
    """Windows that start at or after this, ms since the epoch ..."""

    count_until_ms: int
    """... and before this."""

    read_from_broker_ms: int
    """No event of these windows was written by the broker before this."""


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
    """URI of the folder for checkpoints and savepoints."""

    state_backend: str
    python_executable: str
    """Interpreter on the TaskManagers: it needs apache-flink and redis."""

    python_path: str
    """What it imports from, `:` between folders: its own site-packages and the parent of `flink`. Python
    runs inside the TaskManager, where an interpreter does not find its virtual environment by itself."""

    restore_from: str | None = None
    """URI of a checkpoint or savepoint; without one the job starts at the topic's beginning."""

    bounded: bool = False
    """Stop at what is the topic's end at the start."""

    raw_events_percent: float = 0
    """Of every hundred ids, those whose valid events go to `realtime.raw_events`; 0: none."""

    staging: Staging | None = None
    """Recompute these windows beside the live job; needs `bounded`."""

    @property
    def name(self) -> str:
        """What the cluster calls the job."""
        return JOB_NAME if self.staging is None else REPAIR_JOB_NAME

    def to_json(self) -> str:
        """Serialize for a submission's standard input (the password stays out of every argv)."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> JobConfig:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        if values.get("staging") is not None:
            values["staging"] = Staging(**values["staging"])
        return cls(**values)
