"""Declares what the job is told at submission: plain data, since the job reads no environment of its own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

JOB_NAME: Final = "ctr_windows"
BACKFILL_JOB_NAME: Final = "ctr_repair"

METRICS_GROUP: Final = "ctr"
"""Group of the job's own metrics, below each operator's."""

DOCUMENTS_SKIPPED: Final = "documentsSkipped"
"""Counter: documents of open windows that Redis did not take."""

DOCUMENTS_GIVEN_UP: Final = "documentsGivenUp"
"""Counter: final documents that Redis did not take for as long as they would have lived there."""

REDIS_REFUSES: Final = "redisRefuses"
"""1 while Redis takes no documents, else 0."""

DOCUMENTS_NAME: Final = "window documents"
"""Name of the operator that has these three."""

RAW_MAX_BYTES: Final = 2_097_152
"""Of a message in the raw topic, compressed: thousands of times an event, so only garbage meets it."""

DEAD_LETTER_MAX_BYTES: Final = 2 * RAW_MAX_BYTES + 65_536
"""Of one in the error topic: the job may compress less well than a producer did, and adds headers."""


BLANK: Final = "unknown"
"""What a missing or blank text of a dimension counts as, where nothing else is said."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A field of the event by which the counts are split."""

    field: str
    type: Literal["string", "int", "enum", "boolean"]
    """Of the field; but for an int its values are counted as text."""

    document_key: str
    """Where a window document keeps the click-through rate by this dimension's values."""

    column: str | None = None
    """Of the counts; None: it is called like the field."""

    blank: str | None = None
    """What a missing or blank text counts as; None: `unknown`."""

    @property
    def column_name(self) -> str:
        """Name of its column."""
        return self.column or self.field

    @property
    def sql_type(self) -> str:
        """Flink SQL's type of the column."""
        return "INT" if self.type == "int" else "STRING"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """An integer field of the event that is summed beside the number of impressions."""

    field: str
    column: str
    """The sum's column in the warehouse."""


@dataclass(frozen=True, kw_only=True)
class EventFields:
    """Which fields of the event say what every event says."""

    id: str
    time: str
    time_unit: Literal["ms", "s", "us"]
    """What the time counts since the epoch."""

    click: str
    click_equals: str | None = None
    """The value of a text that means a click; None: the field is 0 or 1, or a boolean."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What is counted of an event."""

    event: EventFields
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    kept: tuple[str, ...]


@cache
def version_0_1() -> Counted:
    """What a submission means that does not say what is counted: version 0.1 could not."""
    values = json.loads(Path(__file__).with_name("version_0_1.json").read_text(encoding="utf-8"))
    return Counted(
        event=EventFields(**values["event"]),
        dimensions=tuple(Dimension(**each) for each in values["dimensions"]),
        measures=tuple(Measure(**each) for each in values["measures"]),
        kept=tuple(values["kept"]),
    )


@dataclass(frozen=True, kw_only=True)
class TimeRules:
    """Decide when an event is late or invalid, and when a window closes; the defaults are the contract's."""

    out_of_orderness_ms: int = 10_000
    """How far the partition watermark trails the highest time of its partition."""

    partition_idle_ms: int = 15_000
    """A partition without a valid and timely record for this long no longer holds the job watermark."""

    straggler_after_ms: int = 300_000
    """Nor does one that is read to its end, with a watermark this far behind the newest for that long."""

    topic_idle_ms: int = 60_000
    """When no partition had a valid and timely record for this long, the last windows may close."""

    max_ahead_ms: int = 60_000
    """An event further ahead of the moment at which the broker wrote it is invalid."""

    earliest_ms: int = 946_684_800_000
    """An earlier event is invalid: the year 2000 tells seconds, and clocks never set, from milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Limits the windows that this job counts; another job counts the others.

    Outcomes are decided and reported, as dead letters and in the ledger, for every record all the same.
    """

    count_from_ms: int | None = None
    """Windows that start at or after this, ms since the epoch; None: however early."""

    count_until_ms: int | None = None
    """Windows that start before this; None: however late."""

    ledger_from: dict[int, int] = field(default_factory=dict)
    """By partition, the offset from which on this job reports outcomes: another has reported those before."""

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Bounds:
        """Restore them from JSON, whose keys are text."""
        ledger_from = {int(partition): offset for partition, offset in values["ledger_from"].items()}
        return cls(**{**values, "ledger_from": ledger_from})


@dataclass(frozen=True, kw_only=True)
class Staging:
    """Names the windows that a backfill recomputes into the warehouse's staging table, and nothing else.

    The fields and `JobConfig.staging` keep their names, which are keys of the JSON that older releases read.
    """

    repair_id: str
    """Names the rows in `quality.repair_counts`."""

    count_from_ms: int
    """Windows that start at or after this, ms since the epoch ..."""

    count_until_ms: int
    """... and before this."""

    read_from_broker_ms: int
    """No event of these windows was written by the broker before this."""


def default_of(setting: Field[Any]) -> Any:
    """What a setting is where a submission does not tell it; `MISSING`: each must."""
    return setting.default if setting.default_factory is MISSING else setting.default_factory()


@dataclass(frozen=True, kw_only=True)
class JobConfig:
    """Holds everything that one submission of the job needs.

    Times carry their unit in the name. Addresses are as the *cluster* reaches them, but for
    `rest_url`, which the submitting client calls.

    Field names are the keys of the JSON that starts this release, an older or a newer one: add fields with a
    default, and rename none (`front_jar` and `staging` are called as in version 0.1).
    """

    rest_url: str
    front_jar: str
    """Path of the ingest stage's jar, sent along with the job."""

    bootstrap_servers: str
    raw_topic: str
    error_topic: str
    windows_topic: str
    consumer_group: str = JOB_NAME
    registry_url: str

    reader_schema: str = ""
    """The event's Avro schema, JSON: fields without a default are those that a writer must have. A release
    older than this field has a file of its own."""

    jdbc_url: str
    postgres_user: str
    postgres_password: str
    redis_host: str
    redis_port: int
    redis_key_prefix: str = ""
    """Begins every key."""

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

    time_rules: TimeRules = TimeRules()
    """When events are late and windows close. A release older than this field obeys the defaults."""

    topic_id: str | None = None
    """Kafka's id of the raw topic: the job ends where it finds another one. None: whatever it is."""

    topic_epoch: int = 1
    """How many topics have had the raw topic's name: a snapshot's offsets of another epoch are ignored."""

    max_segments: int = 10_000
    """Of a 1 minute window, so many distinct segments of a partition are named; further ones are one."""

    event: EventFields = field(default_factory=lambda: version_0_1().event)
    """What every event says."""

    dimensions: tuple[Dimension, ...] = field(default_factory=lambda: version_0_1().dimensions)
    """By which the counts are split."""

    measures: tuple[Measure, ...] = field(default_factory=lambda: version_0_1().measures)
    """What is summed beside the number of impressions; the first must be the clicks."""

    kept: tuple[str, ...] = field(default_factory=lambda: version_0_1().kept)
    """Fields that raw events keep beside id, click, dimensions and time; columns are their names in lower
    case."""

    staging: Staging | None = None
    """Recompute these windows beside the live job; needs `bounded`."""

    bounds: Bounds | None = None
    """Windows that the job counts; None: all. With a first one, state of other windows is ignored."""

    @property
    def name(self) -> str:
        """What the cluster calls the job."""
        return JOB_NAME if self.staging is None else BACKFILL_JOB_NAME

    @property
    def state_name(self) -> str:
        """Name of the windows' state, part of its uids: state of another name is ignored, not misread.

        It differs by the dimensions, by the measures, and by the window that the job begins with: what an
        earlier job knew of windows before must not be continued.
        """
        every = (*map(asdict, self.dimensions), *map(asdict, self.measures))
        described = [{name: value for name, value in each.items() if value is not None} for each in every]
        shape = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:8]
        if self.bounds is None or self.bounds.count_from_ms is None:
            return shape
        return f"{shape}_{self.bounds.count_from_ms}"

    def to_json(self) -> str:
        """Serialize for a submission's standard input (the password stays out of every argv).

        Defaults are left out: another release, which may not know a setting, reads what does not need it.
        """
        values = asdict(self)
        told = [each.name for each in fields(self) if getattr(self, each.name) != default_of(each)]
        return json.dumps({name: values[name] for name in told})

    @classmethod
    def from_json(cls, text: str) -> JobConfig:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        if "time_rules" in values:
            values["time_rules"] = TimeRules(**values["time_rules"])
        if "event" in values:
            values["event"] = EventFields(**values["event"])
        if "dimensions" in values:
            values["dimensions"] = tuple(Dimension(**each) for each in values["dimensions"])
        if "measures" in values:
            values["measures"] = tuple(Measure(**each) for each in values["measures"])
        if "kept" in values:
            values["kept"] = tuple(values["kept"])
        if "staging" in values:
            values["staging"] = Staging(**values["staging"])
        if "bounds" in values:
            values["bounds"] = Bounds.from_values(values["bounds"])
        return cls(**values)
