"""The job `ctr_windows`: the ingest stage in Java, SQL windows and Python documents, as one graph."""

from __future__ import annotations

import json
import time
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from pyflink.common import Configuration, Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import DataTypes, Schema, StreamTableEnvironment

from flink import uids
from flink.config import (
    BLANK,
    DEAD_LETTER_MAX_BYTES,
    DOCUMENTS_NAME,
    Bounds,
    JobConfig,
)
from flink.document_function import WindowDocuments

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER: Final = Path(__file__).parent

FLUSH_MS: Final = 200
"""Documents learn what was counted this often: a fifth of the second that an open window may lag."""

JDBC_FLUSH_MS: Final = 200
"""Rows wait this long for company on their way to Postgres; the default of 1 s is the whole target."""

JDBC_BATCH_ROWS: Final = 5_000
"""Rows of one statement: a window may close with 10,000 segments of each partition; a batch is a commit."""

JDBC_MAX_RETRIES: Final = 5
"""The connector pauses 1, 2, 3 ... s between tries; after that the job restarts from its checkpoint."""

JDBC_PARAMETERS: Final = "reWriteBatchedInserts=true&prepareThreshold=0"
"""Of every connection of the job to Postgres: many rows in one statement, and no statement prepared on the
server. It would be missing in the next transaction, where a pooler such as PgBouncer is between."""

PYTHON_BUNDLE_MS: Final = 50
"""Rows wait this long for company on their way into Python; the default of 1 s would be seen."""

TOLERABLE_FAILED_CHECKPOINTS: Final = 10
"""A checkpoint that fails (a busy disk, an absent registry) is tried again before the job is restarted."""

DOCUMENT_PARALLELISM: Final = 1
"""There are some ten summaries a second for each of the few open windows; a subtask is an interpreter."""


def configuration(config: JobConfig) -> Configuration:
    """Return Flink's settings of one submission."""
    result = Configuration()
    for key, value in options(config).items():
        result.set_string(key, value)
    return result


def options(config: JobConfig) -> dict[str, str]:
    """Return them as plain text."""
    chosen = {
        "pipeline.name": config.name,
        "pipeline.jars": Path(config.front_jar).as_uri(),
        "pipeline.object-reuse": "true",
        "parallelism.default": str(config.parallelism),
        "state.backend.type": config.state_backend,
        "python.execution-mode": "thread",
        "python.executable": config.python_executable,
        "python.client.executable": config.python_executable,
        "python.pythonpath": config.python_path,
        "python.fn-execution.bundle.time": str(PYTHON_BUNDLE_MS),
        "table.local-time-zone": "UTC",
        # Every operator has a uid, so that a savepoint fits the next submission; see `uids.pin`.
        "table.exec.uid.generation": "ALWAYS",
        "table.exec.uid.format": f"{config.state_name}_{uids.UID_FORMAT}",
        # The sinks' keys are the windows' by construction.
        "table.exec.sink.require-on-conflict": "false",
        "table.exec.sink.upsert-materialize": "NONE",
    }
    if config.staging is None:
        chosen |= _checkpointing(config)
    if config.restore_from:
        chosen["execution.state-recovery.path"] = config.restore_from
        bounded = config.bounds is not None and config.bounds.count_from_ms is not None
        if bounded or config.topic_epoch > 1:
            # Another job counts the windows before, and has their state; or the offsets are another topic's.
            chosen["execution.state-recovery.ignore-unclaimed-state"] = "true"
    return chosen


def _checkpointing(config: JobConfig) -> dict[str, str]:
    """Return the settings of the live job; a backfill that fails is started again, never restored."""
    state_root = config.checkpoint_dir.rstrip("/")
    return {
        "execution.checkpointing.incremental": "true",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.interval": f"{round(1000 * config.checkpoint_interval_s)}ms",
        "execution.checkpointing.timeout": f"{round(1000 * config.checkpoint_timeout_s)}ms",
        "execution.checkpointing.dir": state_root,
        "execution.checkpointing.savepoint-dir": state_root,
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.num-retained": "3",
        "execution.checkpointing.tolerable-failed-checkpoints": str(TOLERABLE_FAILED_CHECKPOINTS),
    }


def ingest_settings(config: JobConfig, submitted_by: str = "") -> str:
    """Return the ingest stage's settings, as the JSON object that `ctr.ingest.IngestSettings` reads."""
    staging = config.staging
    bounds = (
        _bounds(config.bounds or Bounds())
        if staging is None
        else {
            "staging": True,
            "countFromMs": staging.count_from_ms,
            "countUntilMs": staging.count_until_ms,
            "readFromBrokerMs": staging.read_from_broker_ms,
        }
    )
    return json.dumps(
        {
            **bounds,
            "bootstrapServers": config.bootstrap_servers,
            "rawTopic": config.raw_topic,
            "topicId": config.topic_id,
            "topicEpoch": config.topic_epoch,
            "errorTopic": config.error_topic,
            "consumerGroup": config.consumer_group,
            "registryUrl": config.registry_url,
            "readerSchema": config.reader_schema,
            "event": {
                "id": config.event.id,
                "time": config.event.time,
                "timeUnit": config.event.time_unit,
                "click": config.event.click,
                "clickEquals": config.event.click_equals,
            },
            "dimensions": [
                {
                    "field": each.field,
                    "column": each.column_name,
                    "type": each.type,
                    "blank": each.blank or BLANK,
                }
                for each in config.dimensions
            ],
            "kept": [{"field": each, "column": each.lower()} for each in config.kept],
            "measures": [{"field": m.field, "column": m.column} for m in config.measures],
            "timeRules": {
                "outOfOrdernessMs": config.time_rules.out_of_orderness_ms,
                "partitionIdleMs": config.time_rules.partition_idle_ms,
                "topicIdleMs": config.time_rules.topic_idle_ms,
                "maxAheadMs": config.time_rules.max_ahead_ms,
                "stragglerAfterMs": config.time_rules.straggler_after_ms,
                "earliestMs": config.time_rules.earliest_ms,
            },
            "maxSegments": config.max_segments,
            "stateName": config.state_name,
            "deadLetterMaxBytes": DEAD_LETTER_MAX_BYTES,
            "parallelism": config.parallelism,
            "flushMs": FLUSH_MS,
            "runStartedMs": time.time_ns() // 1_000_000,
            "submittedBy": submitted_by,
            "restoreFrom": config.restore_from or "",
            "bounded": config.bounded,
            "rawEventsPercent": config.raw_events_percent if staging is None else 0,
            "jdbcUrl": f"{config.jdbc_url}?{JDBC_PARAMETERS}",
            "postgresUser": config.postgres_user,
            "postgresPassword": config.postgres_password,
        }
    )


def _bounds(bounds: Bounds) -> dict[str, object]:
    named = {
        "countFromMs": bounds.count_from_ms,
        "countUntilMs": bounds.count_until_ms,
        "reportFromOffset": bounds.ledger_from or None,
    }
    return {name: value for name, value in named.items() if value is not None}


def _quoted(text: str) -> str:
    """Quote a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _statements(name: str, config: JobConfig) -> list[str]:
    """Return the statements of a file in `sql/`, with the dimensions, measures and addresses put in."""
    jdbc = {
        "connector": "jdbc",
        # The sink keeps one row of a key in a batch.
        "url": f"{config.jdbc_url}?stringtype=unspecified&{JDBC_PARAMETERS}",
        "username": config.postgres_user,
        "password": config.postgres_password,
        "sink.buffer-flush.interval": f"{JDBC_FLUSH_MS}ms",
        "sink.buffer-flush.max-rows": str(JDBC_BATCH_ROWS),
        "sink.max-retries": str(JDBC_MAX_RETRIES),
    }
    lines = (FOLDER / "sql" / name).read_text(encoding="utf-8").splitlines()
    body = "\n".join(line for line in lines if not line.startswith("--"))
    put_in = {
        "dimensions": ", ".join(f"`{d.column_name}`" for d in config.dimensions),
        "dimension_columns": ", ".join(f"`{d.column_name}` {d.sql_type}" for d in config.dimensions),
        "measures": ", ".join(f"`{m.column}`" for m in config.measures),
        "measure_columns": ", ".join(f"`{m.column}` BIGINT" for m in config.measures),
        "measure_sums": ", ".join(f"SUM(`{m.column}`) AS `{m.column}`" for m in config.measures),
        "jdbc": ", ".join(f"{_quoted(key)} = {_quoted(value)}" for key, value in jdbc.items()),
        "windows_topic": _quoted(config.windows_topic),
        "bootstrap_servers": _quoted(config.bootstrap_servers),
        "repair_id": _quoted(config.staging.repair_id if config.staging else ""),
    }
    # Divided before anything is put in: a password may hold a semicolon.
    parts = (part.strip() for part in body.split(";"))
    return [Template(part).substitute(put_in) for part in parts if part]


def build(env: StreamExecutionEnvironment, config: JobConfig, submitted_by: str = "") -> None:
    """Add the whole job to `env`; nothing runs yet. The job logs which run of Dagster has submitted it."""
    tables = StreamTableEnvironment.create(env)
    java = get_gateway().jvm.ctr
    java_env = env._j_stream_execution_environment  # noqa: SLF001 - pyflink's only way to a Java source
    ingest = java.ingest.Ingest.attach(java_env, ingest_settings(config, submitted_by))

    counts = Schema.new_builder()
    for dimension in config.dimensions:
        counts.column(dimension.column_name, dimension.sql_type)
    counts.column("impressions", "BIGINT")
    for measure in config.measures:
        counts.column(measure.column, "BIGINT")
    counts.column_by_metadata("rt", DataTypes.TIMESTAMP_LTZ(3), "rowtime", is_virtual=True)
    counts.watermark("rt", "SOURCE_WATERMARK()")
    tables.create_temporary_view("partial_aggregates", DataStream(ingest.counts()), counts.build())
    if config.staging is not None:
        _write(tables, config, definitions=("staging_table.sql", "windows.sql"), inserts="staging_insert.sql")
        return
    tables.create_temporary_view("ledger_entries", DataStream(ingest.ledger()))

    documents = (
        DataStream(ingest.summaries())
        .key_by(lambda row: f"{row['window_type']}:{row['window_start']}", key_type=Types.STRING())
        .process(
            WindowDocuments(config, submitted_by),
            Types.ROW_NAMED(["key", "document"], [Types.STRING(), Types.STRING()]),
        )
        .name(DOCUMENTS_NAME)
        .uid(f"{config.state_name}_window-documents")
        .set_parallelism(DOCUMENT_PARALLELISM)
    )
    started = (
        DataStream(
            java.python.StartPython.behind(
                documents._j_data_stream,  # noqa: SLF001 - pyflink's only way to a Java operator
                config.python_executable,
                config.python_path,
            )
        )
        .name("start Python")
        .uid(f"{config.state_name}_start-python")
        .set_parallelism(DOCUMENT_PARALLELISM)
    )
    tables.create_temporary_view("final_documents", started)

    _write(tables, config, definitions=("tables.sql", "windows.sql"), inserts="inserts.sql")
    uids.pin(java_env, config.state_name)


def _write(
    tables: StreamTableEnvironment, config: JobConfig, *, definitions: Sequence[str], inserts: str
) -> None:
    """Run the definitions, and add all inserts to the job as one statement set."""
    for name in definitions:
        for statement in _statements(name, config):
            tables.execute_sql(statement)
    statements = tables.create_statement_set()
    for statement in _statements(inserts, config):
        statements.add_insert_sql(statement)
    statements.attach_as_datastream()
