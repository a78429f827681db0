"""The job's description: a dimension or measure more reaches every place, and Flink accepts the whole."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import pytest

import contract.time_rules
import flink.job
from contract.stream.declaration import TAKEN_COLUMNS
from ctr_platform.artifacts.flink import flink_environment
from ctr_platform.artifacts.java import build_ingest, ingest_sources
from ctr_platform.defs.reconciliation.outcomes import MAX_MEASURE
from flink.config import (
    Bounds,
    Dimension,
    EventFields,
    JobConfig,
    Measure,
    Staging,
    TimeRules,
    default_of,
)
from tests.flink.configs import CONFIG
from tests.support.tables import DIMENSIONS, MEASURES

PROJECT: Final = Path(__file__).parents[2]
FILES: Final = ("tables.sql", "windows.sql", "inserts.sql")
PLAN_TIMEOUT_S: Final = 240
"""It takes a quarter of a minute on two free cores."""

STATEFUL_UIDS: Final = {
    "Source: read ad_events_raw": "front-source",
    "decode, outcome, pre-aggregate": "front-combiner",
    "dead letters to ad_events_error: Writer": "front-letters",
    "dead letters to ad_events_error: Committer": "Sink Committer: front-letters",
    "raw events to Postgres: Writer": "front-raw-events",
    "raw events to Postgres: Committer": "Sink Committer: front-raw-events",
    "summarize windows": "af44d9fd_document-summaries",
    "_stream_key_by_map_operator": "af44d9fd_key-by-window",
    "window documents": "af44d9fd_window-documents",
    "start Python": "af44d9fd_start-python",
    "GlobalWindowAggregate 1 min": "af44d9fd_5_global-window-aggregate",
    "GlobalWindowAggregate 5 min": "af44d9fd_11_global-window-aggregate",
    "Sink: counts_1min": "af44d9fd_7_sink",
    "Sink: counts_5min": "af44d9fd_13_sink",
    "Sink: ledger": "af44d9fd_16_sink",
    "ctr_windows: Writer": "af44d9fd_18_sink",
    "ctr_windows: Committer": "Sink Committer: af44d9fd_18_sink",
}
"""Of every operator that may hold state, by its name."""

# `hour` is a word of SQL, `C21` has a capital.
MORE_DIMENSIONS: Final = (
    Dimension(field="hour", type="int", document_key="hour_ctr"),
    Dimension(field="app_category", type="string", document_key="app_ctr"),
)
MORE_MEASURES: Final = (Measure(field="C21", column="value"),)


MORE: Final = replace(
    CONFIG, dimensions=(*DIMENSIONS, *MORE_DIMENSIONS), measures=(*MEASURES, *MORE_MEASURES)
)


def statements(config: JobConfig = CONFIG) -> dict[str, str]:
    """By `INSERT INTO x` or `CREATE ... x`."""
    found = [each for name in FILES for each in flink.job._statements(name, config)]
    named = {" ".join(re.split(r"[\s(]+", each)[: 4 if each.startswith("C") else 3]): each for each in found}
    assert len(named) == len(found)
    return named


def test_every_statement_is_complete() -> None:
    assert set(statements()) == {
        *(
            f"CREATE TEMPORARY TABLE {name}"
            for name in ("counts_1min", "counts_5min", "ledger", "ctr_windows")
        ),
        *(f"CREATE TEMPORARY VIEW {name}" for name in ("windows_1min", "closed_minutes", "windows_5min")),
        *(f"INSERT INTO {name}" for name in ("counts_1min", "counts_5min", "ledger", "ctr_windows")),
    }
    for statement in statements().values():
        text = statement.replace(CONFIG.postgres_password.replace("'", "''"), "")
        assert "$" not in text
        assert "--" not in text


def test_values_are_quoted() -> None:
    table = statements()["CREATE TEMPORARY TABLE counts_1min"]
    assert "'username' = 'it''s me'" in table
    assert "'password' = 'se''c;r--e$t'" in table
    assert "'url' = 'jdbc:postgresql://127.0.0.1:5432/marketing_roas?stringtype=unspecified&" in table


def test_a_dimension_and_a_measure_more_reach_every_statement_of_the_counts() -> None:
    counting = {
        name: each
        for name, each in statements(MORE).items()
        if not name.endswith((" ledger", " ctr_windows"))
    }
    assert len(counting) == 7
    for name, statement in counting.items():
        for column in ("site_category", "device_type", "hour", "app_category", "clicks", "value"):
            assert f"`{column}`" in statement, name
    for name in ("counts_1min", "counts_5min"):
        table = counting[f"CREATE TEMPORARY TABLE {name}"]
        assert "`hour` INT, `app_category` STRING" in table
        assert "`value` BIGINT" in table
        assert "PRIMARY KEY (window_start, `site_category`, `device_type`, `hour`, `app_category`)" in table
    for name in ("windows_1min", "windows_5min"):
        view = counting[f"CREATE TEMPORARY VIEW {name}"]
        assert "SUM(`value`) AS `value`" in view
        assert view.rstrip().endswith("`device_type`, `hour`, `app_category`"), "grouped by them"


def test_a_dimension_and_a_measure_more_reach_what_a_backfill_stages() -> None:
    [table] = flink.job._statements("staging_table.sql", MORE)
    assert "`hour` INT, `app_category` STRING" in table
    assert "`clicks` BIGINT, `value` BIGINT" in table
    [insert] = flink.job._statements("staging_insert.sql", MORE)
    assert "`device_type`, `hour`, `app_category`, impressions, `clicks`, `value`" in insert


def test_a_measures_bound_is_the_recounts() -> None:
    java = (ingest_sources() / "ctr" / "ingest" / "EventDecoder.java").read_text(encoding="utf-8")
    bound = re.search(r"MAX_MEASURE = ([\d_]+)L;", java)
    assert bound is not None
    assert int(bound[1]) == MAX_MEASURE


def test_no_dimension_or_measure_has_the_name_of_a_column_of_the_jobs_sql() -> None:
    text = re.sub(r"--.*|\$\{\w+\}", "", (PROJECT / "flink/sql/windows.sql").read_text(encoding="utf-8"))
    views = {"partial_aggregates", "windows_1min", "closed_minutes", "windows_5min"}
    columns = set(re.findall(r"\b[a-z]\w*", text)) - views
    assert {"rt", "closed_at", "impressions"} <= columns <= TAKEN_COLUMNS


def test_a_dimension_and_a_measure_more_reach_the_ingest_stage() -> None:
    settings = json.loads(flink.job.ingest_settings(MORE))
    assert settings["dimensions"][2:] == [
        {"field": "hour", "column": "hour", "type": "int", "blank": "unknown"},
        {"field": "app_category", "column": "app_category", "type": "string", "blank": "unknown"},
    ]
    assert settings["measures"] == [
        {"field": "click", "column": "clicks"},
        {"field": "C21", "column": "value"},
    ]


def test_another_event_is_told_to_the_ingest_stage_and_counted_by_its_columns() -> None:
    shop = replace(
        CONFIG,
        event=EventFields(id="key", time="at", time_unit="us", click="kind", click_equals="click"),
        dimensions=(
            Dimension(
                field="Country", type="enum", document_key="by_country", column="country", blank="none"
            ),
        ),
        measures=(Measure(field="kind", column="clicks"), Measure(field="costMicros", column="cost")),
    )
    assert JobConfig.from_json(shop.to_json()) == shop
    told = json.loads(flink.job.ingest_settings(shop))
    assert told["event"] == {
        "id": "key", "time": "at", "timeUnit": "us", "click": "kind", "clickEquals": "click"
    }  # fmt: skip
    assert told["dimensions"] == [{"field": "Country", "column": "country", "type": "enum", "blank": "none"}]
    table = statements(shop)["CREATE TEMPORARY TABLE counts_1min"]
    assert "`country` STRING" in table
    assert "Country" not in table
    assert shop.state_name != CONFIG.state_name


def test_what_raw_events_keep_is_told_to_the_ingest_stage() -> None:
    keeping = replace(CONFIG, kept=("C1", "Order"))
    assert JobConfig.from_json(keeping.to_json()) == keeping
    told = json.loads(flink.job.ingest_settings(keeping))["kept"]
    assert told == [{"field": "C1", "column": "c1"}, {"field": "Order", "column": "order"}]
    assert keeping.state_name == CONFIG.state_name, "nothing of it is counted"


def test_what_the_shipped_stream_counts_is_not_told_to_older_releases() -> None:
    assert not {"event", "dimensions", "measures", "kept"} & json.loads(CONFIG.to_json()).keys()


def test_the_ingest_stage_gets_every_setting_that_it_needs() -> None:
    java = (ingest_sources() / "ctr" / "ingest" / "IngestSettings.java").read_text(encoding="utf-8")
    needed = re.findall(r"^    public [\w<>]+ (\w+);", java, re.MULTILINE)
    optional = re.findall(r"^    public [\w<>, ]+ (\w+) = [\w.()]+;", java, re.MULTILINE)
    staging = Staging(repair_id="r", count_from_ms=1, count_until_ms=2, read_from_broker_ms=3)
    assert set(json.loads(flink.job.ingest_settings(CONFIG))) == set(needed)
    told = json.loads(flink.job.ingest_settings(replace(CONFIG, staging=staging)))
    bounds = Bounds(count_from_ms=1, count_until_ms=2, ledger_from={0: 3})
    handed_over = json.loads(flink.job.ingest_settings(replace(CONFIG, bounds=bounds)))
    assert {*told, *handed_over} == {*needed, *optional}
    assert handed_over["reportFromOffset"] == {"0": 3}
    assert [told[name] for name in ("countFromMs", "countUntilMs", "readFromBrokerMs")] == [1, 2, 3]
    assert told["staging"] is True


def test_the_rules_of_time_are_the_contracts_unless_told_otherwise() -> None:
    assert asdict(TimeRules()) == asdict(contract.time_rules.TimeRules())
    assert CONFIG.time_rules == TimeRules(
        out_of_orderness_ms=10_000,
        partition_idle_ms=15_000,
        topic_idle_ms=60_000,
        max_ahead_ms=60_000,
        straggler_after_ms=300_000,
        earliest_ms=946_684_800_000,
    )


def test_the_rules_of_time_reach_the_ingest_stage() -> None:
    rules = TimeRules(
        out_of_orderness_ms=1,
        partition_idle_ms=2,
        topic_idle_ms=3,
        max_ahead_ms=4,
        straggler_after_ms=5,
        earliest_ms=6,
    )
    config = JobConfig.from_json(replace(CONFIG, time_rules=rules).to_json())
    assert config.time_rules == rules
    told = json.loads(flink.job.ingest_settings(config))["timeRules"]
    assert told == {
        "outOfOrdernessMs": 1,
        "partitionIdleMs": 2,
        "topicIdleMs": 3,
        "maxAheadMs": 4,
        "stragglerAfterMs": 5,
        "earliestMs": 6,
    }
    java = (ingest_sources() / "ctr" / "ingest" / "TimeRules.java").read_text(encoding="utf-8")
    assert set(told) == set(re.findall(r"^    public long (\w+);", java, re.MULTILINE))


def test_default_rules_of_time_are_left_out_for_older_releases() -> None:
    assert "time_rules" not in json.loads(CONFIG.to_json())


def test_a_backfill_is_another_job_that_leaves_no_snapshot() -> None:
    staging = Staging(repair_id="r", count_from_ms=1, count_until_ms=2, read_from_broker_ms=3)
    config = replace(CONFIG, staging=staging)
    assert JobConfig.from_json(config.to_json()) == config
    options = flink.job.options(config)
    assert options["pipeline.name"] == "ctr_repair"
    assert not [name for name in options if name.startswith("execution.checkpointing")]
    assert [name for name in flink.job.options(CONFIG) if name.startswith("execution.checkpointing")]


def test_dimensions_and_measures_are_fields_of_the_schema() -> None:
    schema = json.loads(CONFIG.reader_schema)
    types = {field["name"]: field["type"] for field in schema["fields"]}
    for dimension in DIMENSIONS:
        assert types[dimension.field] == dimension.type
    assert all(types[measure.field] in ("int", "long") for measure in MEASURES)
    assert MEASURES[0].field == "click"


def test_a_configuration_survives_its_way_to_the_submission() -> None:
    assert JobConfig.from_json(CONFIG.to_json()) == CONFIG
    told = set(json.loads(CONFIG.to_json()))
    assert told == {each.name for each in fields(JobConfig) if getattr(CONFIG, each.name) != default_of(each)}
    handed_over = replace(CONFIG, bounds=Bounds(count_from_ms=1, ledger_from={0: 3}))
    assert JobConfig.from_json(handed_over.to_json()) == handed_over


@dataclass(frozen=True)
class Plan:
    """What Flink has planned."""

    nodes: list[dict[str, Any]]
    """Of the execution plan."""

    uids: dict[str, str | None]
    """Of the operators, by their names without the planner's numbers."""


def plan(
    dimensions: tuple[Dimension, ...] = (),
    measures: tuple[Measure, ...] = (),
    *,
    folder: Path | None = None,
    bounds: Bounds | None = None,
) -> Plan:
    """The job's graph, as Flink plans it.

    Raises:
        subprocess.CalledProcessError: it cannot be planned.
    """
    config = replace(CONFIG, front_jar=str(build_ingest()), bounds=bounds)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.flink.plan_job"),
            *(json.dumps([vars(each) for each in more]) for more in (dimensions, measures)),
            *([str(folder)] if folder else []),
        ],
        input=config.to_json(),
        env=flink_environment(),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PLAN_TIMEOUT_S,
        check=True,
    )
    answer = json.loads(done.stdout)
    uids = {re.sub(r"\[\d+\]", "", name): uid for name, uid in answer["uids"].items()}
    return Plan(nodes=answer["nodes"], uids=uids)


def with_statements(folder: Path, first: str) -> Path:
    """A copy of what the job is planned from, with a statement before the others."""
    shutil.copytree(PROJECT / "flink" / "sql", folder / "sql")
    inserts = folder / "sql" / "inserts.sql"
    inserts.write_text(f"{first};\n{inserts.read_text(encoding='utf-8')}", encoding="utf-8")
    return folder


def test_flink_plans_the_job_and_reads_the_topic_once_with_the_uids_of_version_0_1() -> None:
    made = plan()
    sources = [node["type"] for node in made.nodes if node["pact"] == "Data Source"]
    assert sources == ["Source: read ad_events_raw"]
    assert sum("window documents" in node["type"] for node in made.nodes) == 1
    # A savepoint names state by these: one that changes loses its state.
    without_state = ("Calc", "ConstraintEnforcer", "DataStreamToTable", "LocalWindowAggregate")
    others = {name: uid for name, uid in made.uids.items() if not name.startswith(without_state)}
    assert others == STATEFUL_UIDS
    assert None not in made.uids.values()


def test_another_statement_renumbers_no_state(tmp_path: Path) -> None:
    ledger = re.search(r"INSERT INTO ledger.*?;", (PROJECT / "flink/sql/inserts.sql").read_text(), re.DOTALL)
    assert ledger is not None
    moved = with_statements(tmp_path, ledger[0].rstrip(";"))
    inserts = moved / "sql" / "inserts.sql"
    head, tail = inserts.read_text(encoding="utf-8").rsplit(ledger[0], 1)
    inserts.write_text(head + tail, encoding="utf-8")
    # As after a cutover, whose time is part of the uids too.
    uids = plan(folder=moved, bounds=Bounds(count_from_ms=300_000)).uids
    expected = {name: uid.replace("af44d9fd", "af44d9fd_300000") for name, uid in STATEFUL_UIDS.items()}
    assert {name: uids[name] for name in STATEFUL_UIDS} == expected


def test_an_operator_without_a_uid_of_its_own_is_refused(tmp_path: Path) -> None:
    # Other columns make another aggregate of the same windows, and their sink is a second one too.
    more = with_statements(tmp_path, "INSERT INTO ctr_windows SELECT site_category, 'more' FROM windows_1min")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        plan(folder=more)
    assert "has no uid of its own: name it in STATEFUL" in refused.value.stderr


def test_flink_plans_the_job_with_a_dimension_and_a_measure_more() -> None:
    nodes = plan(MORE_DIMENSIONS, MORE_MEASURES).nodes
    windows = [node["contents"] for node in nodes if "GlobalWindowAggregate" in node["type"]]
    assert len(windows) == 2, "one of 1 minute, one of 5"
    for contents in windows:
        for column in ("site_category", "device_type", "hour", "app_category", "clicks", "value"):
            assert column in contents
