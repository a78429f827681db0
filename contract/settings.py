"""Every setting of the platform, typed, with its default and its reason.

A value comes from the first of: the process environment; `stack.env` in `CTR_HOME`, which a running
embedded stack writes (so `ctr produce` finds it without any export); the default below.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

from contract.errors import InvalidSetting
from contract.names import ERROR_TOPIC, RAW_TOPIC, REPLAYS_TOPIC, WINDOWS_TOPIC
from contract.stream.load import SHIPPED, DeclaredStream, load_stream
from contract.time_rules import TimeRules

if TYPE_CHECKING:
    from contract.stream.declaration import Topics

STACK_ENV_FILE: Final = "stack.env"
"""Name, inside `CTR_HOME`, of the contract's variables of the embedded stack."""

_UNIT_SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}

_LOGIN: Final = re.compile(r"//[^/@]*@")
"""Of an address: not to be shown."""


def _seconds(value: object) -> object:
    """Read `60`, `60 s`, `10min`, `500ms`, `1 h` or `7d` as seconds."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?\s*", value)
    if match is None:
        raise ValueError("write a duration such as 60s, 10min or 500ms")
    return float(match[1]) * _UNIT_SECONDS[match[2] or "s"]


def _plain_address(url: str) -> str:
    """Refuse what Flink's client, or ours, would leave out of an address: they must lead to one place."""
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError("write an address such as http://jobmanager:8081 or https://host/flink")
    if address.username or address.password:
        raise ValueError("Flink's client takes no login from an address: leave it out")
    if address.query or address.fragment:
        raise ValueError("Flink's client takes neither ? nor # in an address")
    _ = address.port  # raises where it is none
    return url.rstrip("/")


def _absolute(path: Path) -> Path:
    """The same folder for every process, wherever it runs."""
    return path.expanduser().resolve()


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]


class Settings(BaseSettings):
    """The contract's environment variables and what the platform adds to them.

    Field names are the variables' names in lower case.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False)

    ctr_stream: Annotated[Path, AfterValidator(_absolute)] = Field(
        default=SHIPPED,
        description="Folder of the declared stream: `stream.toml`, the Avro schema, files of names. By "
        "default the one that ships; see docs/reference/stream-declaration.md.",
    )

    kafka_bootstrap_servers: str = Field(
        default="localhost:9092", description="Brokers to begin with: host:port, comma-separated."
    )
    kafka_partitions: int = Field(default=4, ge=1, description="Partitions of a topic when it is made.")
    kafka_topic_prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]*$",
        description="Begins the names of all topics and of the raw topic's subject: several installations "
        "share one Kafka.",
    )
    schema_registry_url: str = Field(
        default="http://localhost:8081",
        description="Base of the Confluent API; for Apicurio it ends in /apis/ccompat/v7.",
    )

    flink_rest_url: Annotated[str, AfterValidator(_plain_address)] = Field(
        default="http://localhost:8082",
        description="Not Flink's own 8081: the registry answers there. https and a path are taken, as of a "
        "reverse proxy; without a port it is 80, or 443.",
    )
    flink_parallelism: int = Field(
        default=4, ge=1, description="Parallelism of the job when no deployment says otherwise."
    )
    flink_checkpoint_interval: Seconds = Field(
        default=60.0, description="From the start of one checkpoint to the next."
    )
    flink_checkpoint_timeout: Seconds = Field(
        default=600.0, description="A checkpoint that takes longer has failed."
    )
    flink_state_backend: str = Field(
        default="rocksdb",
        pattern="^(rocksdb|hashmap)$",
        description="Where the windows' state lives: rocksdb (on disk) or hashmap (on the heap).",
    )
    flink_checkpoint_dir: str = Field(
        default="file:///var/lib/ctr-platform/checkpoints",
        description="A URI that the JobManager, the TaskManagers and Dagster all reach. The job's snapshots "
        "lie in a folder of its own below it; several installations may share it.",
    )

    release_dir: Path = Field(
        default_factory=lambda: ctr_home() / "releases",
        description="Folder of the job's code, as it was submitted.",
    )

    redis_host: str = Field(default="localhost", description="Host of Redis, or Valkey.")
    redis_port: int = Field(default=6379, ge=1, le=65535, description="Port of Redis.")
    redis_key_prefix: str = Field(
        default="",
        description="Begins every key: several installations share one Redis. `{ctr}:` keeps one slot.",
    )

    postgres_host: str = Field(default="localhost", description="Host of Postgres.")
    postgres_port: int = Field(default=5432, ge=1, le=65535, description="Port of Postgres.")
    postgres_db: str = Field(default="marketing_roas", description="Database of the warehouse.")
    postgres_user: str = Field(
        default="postgres", description="Login of the writers: owner of the warehouse's schemas."
    )
    postgres_password: SecretStr = Field(default=SecretStr(""), description="Its password.")

    postgres_reader_user: str = Field(
        default="",
        description="Login of the dashboard, which may read and nothing else: made by the migrations. "
        "Empty: it uses POSTGRES_USER.",
    )
    postgres_reader_password: SecretStr = Field(
        default=SecretStr(""), description="Password of POSTGRES_READER_USER."
    )

    out_of_orderness: Seconds = Field(
        default=10.0, description="The partition watermark trails the partition's highest time by this much."
    )
    partition_idle: Seconds = Field(
        default=15.0, description="A partition without a timely record for this long holds no window open."
    )
    topic_idle: Seconds = Field(
        default=60.0,
        description="When no partition had a timely record for this long, the last windows close.",
    )
    straggler_after: Seconds = Field(
        default=300.0,
        description="A partition read to its end, whose watermark is this far behind the newest, holds no "
        "window open.",
    )
    max_ahead: Seconds = Field(
        default=60.0, description="An event further ahead of the broker's record time is invalid."
    )

    max_segments: int = Field(
        default=10_000,
        ge=1,
        description="Of a 1 minute window, so many distinct segments of a partition are named; further ones "
        "are counted as `other`.",
    )

    raw_events_percent: float = Field(
        default=0,
        ge=0,
        le=100,
        description="Valid events kept in realtime.raw_events, by hash of their id; 0: none, 100: all.",
    )

    recount_interval: Seconds = Field(
        default=60.0,
        description="The follower recounts what is new, and verifies the windows, at most this often.",
    )
    recount_hours: int = Field(
        default=24,
        ge=1,
        description="Verified anew at every recount, so that a row falsified since is found at once.",
    )

    accuracy_alarm_percent: float = Field(
        default=99.0, ge=0, le=100, description="A window below this fails its check; below 100 it warns."
    )

    quality_freshness: Seconds = Field(
        default=600.0,
        description="A record whose outcome is unknown for longer is an alarm: checkpoints were missed.",
    )
    ctr_drift_percent: float = Field(
        default=50.0, gt=0, description="CTR farther from the day before, relative to it, is a warning."
    )
    quality_dir: Path = Field(
        default_factory=lambda: ctr_home() / "quality",
        description="Folder of the quality report and its results.",
    )
    quality_url: str = Field(
        default="http://localhost:8090", description="Where a browser finds `QUALITY_DIR`/site."
    )

    alert_webhook_url: SecretStr = Field(
        default=SecretStr(""),
        description="Slack-compatible incoming webhook; empty: alerts go to the log alone.",
    )
    alert_repeat: Seconds = Field(
        default=3600.0, description="An alert that lasts is notified again this often."
    )
    alert_warnings_after: Seconds = Field(
        default=600.0,
        description="A check that warns for so long is an alert as well; an error is one at once.",
    )

    runbook_url: str = Field(
        default="docs/runbook.md",
        description="Where people find the runbook: alerts name its section. With an address, as a link.",
    )

    state_growth_alarm: float = Field(
        default=3.0, gt=1, description="A checkpoint so many times as large as the last day's is a warning."
    )
    consumer_lag_alarm: int = Field(default=1_000_000, ge=1, description="More records waiting: a warning.")
    watermark_lag_alarm: Seconds = Field(
        default=60.0, description="A watermark this far behind the clock while records wait: a warning."
    )
    windows_close_alarm: Seconds = Field(
        default=420.0,
        description="A job watermark that stands for so long while records are counted is an error. A "
        "partition may hold it for STRAGGLER_AFTER and PARTITION_IDLE; the rest is for slow samples.",
    )
    backpressure_alarm_percent: float = Field(
        default=80.0,
        gt=0,
        le=100,
        description="A task that waits for a slower one for more of its time: a warning.",
    )
    heap_alarm_percent: float = Field(
        default=95.0,
        gt=0,
        le=100,
        description="A heap fills up before it is collected; this full is in trouble.",
    )
    refused_alarm_percent: float = Field(
        default=5.0, gt=0, le=100, description="More late, or more dead, of what came in: a warning."
    )

    snapshot_retention: Seconds = Field(
        default=7 * 86400.0,
        description="Snapshots of a job that was replaced longer ago are deleted, but the newest.",
    )
    raw_events_retention: Seconds = Field(
        default=7 * 86400.0, description="Older rows of realtime.raw_events are deleted: they are for a look."
    )
    result_retention: Seconds = Field(
        default=90 * 86400.0,
        description="Older verifications that newer ones replaced, and alerts and mutes that are over, go.",
    )
    ledger_retention: Seconds = Field(
        default=8 * 86400.0,
        description="Older rows of the ledger are rolled up, one for each day and partition.",
    )
    window_retention: Seconds = Field(
        default=400 * 86400.0, description="Older windows are deleted: a year and a month to compare with."
    )

    dagster_run_retention: Seconds = Field(
        default=30 * 86400.0, description="Older runs of Dagster are deleted, with their events and logs."
    )
    dagster_failed_run_retention: Seconds = Field(
        default=90 * 86400.0, description="Likewise runs that failed: they are asked for later."
    )
    dagster_event_retention: Seconds = Field(
        default=7 * 86400.0,
        description="Older observations, materializations and check results that sensors have reported to "
        "Dagster are deleted, but the newest: some 10,000 a day.",
    )

    heartbeat_alarm: Seconds = Field(
        default=60.0,
        description="A supervisor or follower whose heart last beat longer ago is dead: it beats every 10 s. "
        "Likewise a JobManager that has not answered the supervisor for so long.",
    )

    dagster_ui_url: str = Field(
        default="http://localhost:3000", description="Where a browser reaches Dagster: links of alerts."
    )
    dashboard_url: str = Field(
        default="http://localhost:8501", description="Where a browser reaches the dashboard."
    )
    flink_ui_url: str = Field(
        default="", description="Where a browser reaches Flink; empty: the REST address."
    )

    def declared_stream(self) -> DeclaredStream:
        """Read the stream that is declared now; what is counted may still be an earlier declaration.

        Raises:
            InvalidStream: the folder declares none.
        """
        return load_stream(self.ctr_stream)

    @property
    def topics(self) -> dict[str, str]:
        """The topics of this installation, by what they are called in the shipped stream."""
        return {
            RAW_TOPIC: self.raw_topic,
            ERROR_TOPIC: self.error_topic,
            WINDOWS_TOPIC: self.windows_topic,
            REPLAYS_TOPIC: self.replays_topic,
        }

    @property
    def raw_topic(self) -> str:
        """The topic of the ad events."""
        return self.kafka_topic_prefix + _topics(self.ctr_stream).raw

    @property
    def raw_subject(self) -> str:
        """The registry's subject of the raw topic's values."""
        return f"{self.raw_topic}-value"

    @property
    def error_topic(self) -> str:
        """The dead letter queue."""
        return self.kafka_topic_prefix + _topics(self.ctr_stream).error

    @property
    def windows_topic(self) -> str:
        """The feed of final windows."""
        return self.kafka_topic_prefix + _topics(self.ctr_stream).windows

    @property
    def replays_topic(self) -> str:
        """The record of replayed dead-letter messages."""
        return self.kafka_topic_prefix + REPLAYS_TOPIC

    @property
    def time_rules(self) -> TimeRules:
        """The rules of time that the job and the reconciliation obey."""
        return TimeRules(
            out_of_orderness_ms=round(1000 * self.out_of_orderness),
            partition_idle_ms=round(1000 * self.partition_idle),
            topic_idle_ms=round(1000 * self.topic_idle),
            max_ahead_ms=round(1000 * self.max_ahead),
            straggler_after_ms=round(1000 * self.straggler_after),
        )

    @property
    def postgres_url(self) -> URL:
        """SQLAlchemy address of the warehouse, by psycopg2."""
        return URL.create(
            "postgresql+psycopg2",
            username=self.postgres_user,
            password=self.postgres_password.get_secret_value() or None,
            host=self.postgres_host,
            port=self.postgres_port,
            database=self.postgres_db,
        )

    @property
    def postgres_reader_url(self) -> URL:
        """Address of the warehouse for who reads alone."""
        if not self.postgres_reader_user:
            return self.postgres_url
        return self.postgres_url.set(
            username=self.postgres_reader_user,
            password=self.postgres_reader_password.get_secret_value(),
        )

    @property
    def postgres_jdbc_url(self) -> str:
        """JDBC address of the warehouse, without credentials."""
        return f"jdbc:postgresql://{self.postgres_host}:{self.postgres_port}/{self.postgres_db}"


@lru_cache(maxsize=8)
def _topics(folder: Path) -> Topics:
    """Read once in each process: a stream that runs keeps its topics."""
    return load_stream(folder).declaration.topics


def ctr_home() -> Path:
    """Folder of the embedded stack's data, logs and ports: `CTR_HOME`, else the user's data folder.

    Root's own data folder is closed to the unprivileged user that Postgres runs as, hence
    `/var/lib/ctr-platform` for root.
    """
    if chosen := os.environ.get("CTR_HOME"):
        return Path(chosen).expanduser().resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/ctr-platform")
    return platformdirs.user_data_path("ctr-platform")


def load_settings() -> Settings:
    """Read the settings now.

    Raises:
        CtrError: a variable holds a value that cannot be used; the message names it.
    """
    try:
        return Settings(_env_file=ctr_home() / STACK_ENV_FILE)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        shown = _LOGIN.sub("//***@", repr(first.get("input")))
        raise InvalidSetting(f"{name}={shown}: {first['msg']}") from None
