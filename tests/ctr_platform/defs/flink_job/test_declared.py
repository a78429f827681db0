"""What the job is told of a declared stream; of the shipped one nothing that older releases do not know."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import flink.job
from contract.stream.load import load_stream, shipped_stream
from ctr_platform.defs.flink_job.declared import DeclaredJob, declared_job
from flink.config import Dimension, EventFields, JobConfig, Measure
from tests.contract.stream.test_load import SCHEMA, declare
from tests.flink.configs import CONFIG

if TYPE_CHECKING:
    from pathlib import Path


def told(job: DeclaredJob) -> JobConfig:
    return replace(
        CONFIG,
        reader_schema=job.reader_schema,
        event=job.event,
        dimensions=job.dimensions,
        measures=job.measures,
        kept=job.kept,
    )


def test_of_the_shipped_stream_nothing_is_told_to_older_releases() -> None:
    config = told(declared_job(shipped_stream()))
    assert config == CONFIG
    assert config.to_json() == CONFIG.to_json()
    assert config.state_name == CONFIG.state_name, "its state is that of earlier releases"


def test_another_stream_is_told_as_it_is_declared(tmp_path: Path) -> None:
    changes = (
        (
            'click = { field = "clicked" }',
            'click = { field = "kind", equals = "CLICK" }\nkept = ["cost", "ts"]',
        ),
        ('field = "position"', 'field = "clicked"\ncolumn = "bought"\nblank = "none"'),
    )
    job = declared_job(load_stream(declare(tmp_path, *changes)))
    assert job.event == EventFields(
        id="event_id", time="ts", time_unit="us", click="kind", click_equals="CLICK"
    )
    assert job.dimensions == (
        Dimension(field="campaign", type="string", document_key="campaign_ctr"),
        Dimension(field="clicked", type="boolean", document_key="by_position", column="bought", blank="none"),
    )
    assert job.measures == (Measure(field="kind", column="clicks"), Measure(field="cost", column="cost"))
    assert job.kept == ("cost", "ts")
    assert JobConfig.from_json(told(job).to_json()) == told(job)


@pytest.mark.parametrize(
    ("name", "kind"), [("position", "int"), ("clicked", "boolean"), ("kind", "enum"), ("place", "string")]
)
def test_a_dimension_of_each_kind_is_told_and_stands_in_raw_events_as_it_is_counted(
    tmp_path: Path, name: str, kind: str
) -> None:
    schema = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "place", "type": "string"}]}
    stream = load_stream(declare(tmp_path, ('field = "position"', f'field = "{name}"'), schema=schema))
    dimension = declared_job(stream).dimensions[1]
    assert dimension.type == kind
    [column] = [each for each in stream.raw_columns if each.name == name]
    assert column.kind == {"INT": "int", "STRING": "string"}[dimension.sql_type]


def test_the_columns_of_raw_events_are_those_that_the_ingest_stage_writes(tmp_path: Path) -> None:
    click = 'click = { field = "clicked" }'
    stream = load_stream(declare(tmp_path, (click, f'{click}\nkept = ["cost", "ts", "kind"]')))
    settings = json.loads(flink.job.ingest_settings(told(declared_job(stream))))
    written = [
        ("id", settings["event"]["id"]),
        ("click", settings["event"]["click"]),
        *((each["column"], each["field"]) for each in settings["dimensions"]),
        *((each["column"], each["field"]) for each in settings["kept"]),
        ("event_time", settings["event"]["time"]),
    ]
    assert [(each.name, each.field) for each in stream.raw_columns] == written
