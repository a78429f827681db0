"""What the job is told at submission. Plain data: the job reads no environment of its own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal

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
class Bounds:
    """The windows that are this job's business; another job counts the others.

    Fates are decided, letters sent and the ledger written for every record all the same.
    """

    count_from_ms: int | None = None
    """Windows that start at or after this, ms since the epoch; None: however early."""

    count_until_ms: int | None = None
    """Windows that start before this; None: however late."""

    ledger_from: dict[int, int] = field(default_factory=dict)
    """Of each partition, the offset from which on this job tells fates: another one has told those before."""

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Bounds:
        """Make them of what JSON has made of them: its keys are text."""
        ledger_from = {int(partition): offset for partition, offset in values["ledger_from"].items()}
        return cls(**{**values, "ledger_from": ledger_from})


def state_name(bounds: Bounds | None) -> str:
    """Name of the windows' state, part of its uids: state of another name is nobody's, instead of unreadable.

    Another dimension or measure makes it another one, and so does the window that the job begins with: what
    an earlier job knew of windows before is not to be gone on with.
    """
    described = json.dumps([asdict(each) for each in (*DIMENSIONS, *MEASURES)])
    shape = hashlib.sha256(described.encode()).hexdigest()[:8]
    if bounds is None or bounds.count_from_ms is None:
        return shape
    return f"{shape}_{bounds.count_from_ms}"


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

    bounds: Bounds | None = None
    """Windows that are the job's business; None: all. With a first one, state of another shape is left."""

    @property
    def name(self) -> str:
        """What the cluster calls the job."""
        return JOB_NAME if self.staging is None else REPAIR_JOB_NAME

    def to_json(self) -> str:
        """Serialize for a submission's standard input (the password stays out of every argv).

        Defaults are left out: another release, which may not know a setting, reads what does not need it.
        """
        defaults = {each.name: each.default for each in fields(self)}
        return json.dumps({name: value for name, value in asdict(self).items() if value != defaults[name]})

    @classmethod
    def from_json(cls, text: str) -> JobConfig:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        if "staging" in values:
            values["staging"] = Staging(**values["staging"])
        if "bounds" in values:
            values["bounds"] = Bounds.from_values(values["bounds"])
        return cls(**values)
