"""The reference is what the code says, and the code says something about everything that users see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
import typer
from pydantic import Field
from sqlalchemy import inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from contract.names import DEAD_LETTER_HEADERS, INGEST_METRICS, REDIS_KEYS, REPLAY_HEADERS
from contract.settings import Settings
from ctr_platform.defs.dead_letters import messages
from ctr_platform.defs.dead_letters.replay import REPLAYED_FROM
from ctr_platform.defs.flink_job.metrics import OUTCOME_NAMES
from flink.documents import document_key
from scripts.reference.commands import commands_page
from scripts.reference.dagster_graph import dagster_page
from scripts.reference.markdown import UndocumentedError
from scripts.reference.pages import FOLDER, pages
from scripts.reference.settings import settings_page
from scripts.reference.stream import topics_page
from scripts.reference.warehouse import warehouse_page
from tests.support.documents import ROOT
from tests.support.stores import writing_engine

if TYPE_CHECKING:
    from sqlalchemy import URL

JAVA = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "flink").rglob("src/main/**/*.java"))


def test_the_committed_pages_are_what_the_code_says() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    generated = pages()
    assert committed.keys() == generated.keys(), "run `make docs`"
    for name, text in generated.items():
        assert committed[name] == text, f"docs/reference/{name} is out of date: run `make docs`"


def test_every_table_view_and_column_of_a_migrated_database_is_documented(url: URL) -> None:
    page = (FOLDER / "warehouse.md").read_text(encoding="utf-8")
    inspector = inspect(writing_engine(url))
    for schema in ("realtime", "quality"):
        for name in (*inspector.get_table_names(schema), *inspector.get_view_names(schema)):
            section = re.search(rf"^### {schema}\.{name}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
            assert section, f"{schema}.{name} is not documented"
            documented = re.findall(r"^\| `(\w+)` \|", section[1], re.MULTILINE)
            assert sorted(documented) == sorted(
                column["name"] for column in inspector.get_columns(name, schema)
            )


def test_the_headers_are_those_that_are_written_and_read() -> None:
    constants = (messages.REASON, messages.TOPIC, messages.PARTITION, messages.OFFSET, messages.MESSAGE)
    assert {*constants, messages.OMITTED, messages.TOPIC_ID} == set(DEAD_LETTER_HEADERS)
    always = re.findall(r'headers\.add\("([^"]+)"', JAVA)
    sometimes = re.findall(r'(?:OMITTED|TOPIC_ID) = "([^"]+)"', JAVA)
    assert {*always, *sometimes} == set(DEAD_LETTER_HEADERS)
    assert {REPLAYED_FROM} == set(REPLAY_HEADERS)


def test_the_metrics_are_those_that_the_ingest_stage_registers() -> None:
    assert re.search(r'addGroup\("ctr"\)', JAVA)
    gauges = re.findall(r'\.gauge\("(\w+)"', JAVA)
    assert {*OUTCOME_NAMES, *gauges} == set(INGEST_METRICS)


def test_the_keys_are_those_that_are_written() -> None:
    written = {document_key("{window_type}", "{window_id}"), document_key("{window_type}", "index")}
    assert written == set(REDIS_KEYS)


class TestAPlantedGapIsFound:
    def test_in_the_settings(self) -> None:
        class Undescribed(Settings):
            new_setting: int = Field(default=1)

        with pytest.raises(UndocumentedError, match="NEW_SETTING"):
            settings_page(Undescribed)

    def test_in_the_options_and_commands(self) -> None:
        app = typer.Typer()

        @app.command()
        def first(depth: int = 1) -> None:
            """Do something."""

        @app.command()
        def second() -> None:
            pass

        with pytest.raises(UndocumentedError, match="--depth"):
            commands_page(app)
        with pytest.raises(UndocumentedError, match="ctr second"):
            commands_page(_without_first(app))

    def test_in_the_columns(self) -> None:
        class Other(DeclarativeBase):
            pass

        class Undescribed(Other):
            """A table of this test."""

            __tablename__ = "undescribed"
            __table_args__ = ({"schema": "quality"},)
            number: Mapped[int] = mapped_column(primary_key=True)

        with pytest.raises(UndocumentedError, match=r"quality\.undescribed\.number"):
            warehouse_page(Other)

    def test_in_the_topics(self) -> None:
        with pytest.raises(UndocumentedError, match="new_topic"):
            topics_page({"new_topic": {}})

    @pytest.mark.parametrize("kind", ["asset", "check", "job", "config"])
    def test_in_the_definitions(self, kind: str) -> None:
        with pytest.raises(UndocumentedError, match="undescribed"):
            dagster_page(_definitions_without(kind))


def _without_first(app: typer.Typer) -> typer.Typer:
    app.registered_commands = app.registered_commands[1:] * 2
    return app


def _definitions_without(kind: str) -> dg.Definitions:
    text: dict[str, Any] = dict.fromkeys(("asset", "check", "job"), "Described.")
    text.pop(kind, None)
    schema = {"undescribed": dg.Field(int, description=None if kind == "config" else "Described.")}

    @dg.asset(key="undescribed", group_name="tests", description=text.get("asset"))
    def asset() -> None:
        pass

    @dg.asset_check(asset=asset, name="undescribed", description=text.get("check"))
    def check() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    @dg.op(config_schema=schema)
    def op() -> None:
        pass

    @dg.job(name="undescribed_job", description=text.get("job"))
    def job() -> None:
        op()

    return dg.Definitions(assets=[asset], asset_checks=[check], jobs=[job])
