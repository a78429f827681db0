"""A declaration is read with all that it names; each mistake is one line with its place and what to do."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from contract.errors import InvalidStream
from contract.stream.declaration import LANGUAGES
from contract.stream.load import FILE, MAX_FILE_BYTES, SHIPPED, load_stream, shipped_stream
from dashboard.user_context.preferences import LANGUAGES as SPOKEN
from tests.support.streams import SCHEMA, declare
from tests.support.tables import DIMENSIONS, MEASURES, TABLES


def test_everything_that_it_says_is_read(tmp_path: Path) -> None:
    stream = load_stream(declare(tmp_path))
    declared = stream.declaration
    assert [each.column_name for each in declared.dimensions] == ["campaign", "position"]
    assert [each.rates_name for each in declared.dimensions] == ["campaign_ctr", "by_position"]
    assert declared.dimensions[0].blank == "unknown"
    assert stream.time_unit == "us"
    assert stream.names == {"campaign": {"a": "A"}}
    assert json.loads(stream.event_schema) == SCHEMA
    [measure] = declared.measures
    assert (measure.column_name, measure.per) == ("cost", ("click", "1000 impressions"))
    assert (declared.topics.raw, declared.topics.error) == ("ad_events_raw", "ad_events_error")


@pytest.mark.parametrize(
    ("time", "unit"), [('{ field = "seconds", unit = "s" }', "s"), ('{ field = "ts", unit = "us" }', "us")]
)
def test_the_unit_of_time_is_said_once(tmp_path: Path, time: str, unit: str) -> None:
    assert load_stream(declare(tmp_path, ('{ field = "ts" }', time))).time_unit == unit


@pytest.mark.parametrize(
    "click",
    [
        '{ field = "position" }',
        '{ field = "kind", equals = "CLICK" }',
        '{ field = "campaign", equals = "x" }',
    ],
)
def test_a_click_is_a_number_a_boolean_or_a_value(tmp_path: Path, click: str) -> None:
    load_stream(declare(tmp_path, ('{ field = "clicked" }', click)))


def test_titles_are_in_the_languages_of_the_dashboard() -> None:
    assert tuple(SPOKEN) == LANGUAGES


def test_the_shipped_stream_is_what_the_job_counts() -> None:
    stream = shipped_stream()
    declared = stream.declaration
    counted = [(each.column_name, each.rates_name) for each in declared.dimensions]
    assert counted == [(each.field, each.document_key) for each in DIMENSIONS]
    for declared_one, counted_one in zip(declared.dimensions, DIMENSIONS, strict=True):
        field = stream.fields[declared_one.field]
        assert field is not None
        assert field.kind == counted_one.type
    assert [each.column_name for each in declared.dimensions] == list(TABLES.dimensions)
    assert [declared.event.click.field] == [each.field for each in MEASURES]
    assert stream.time_unit == "ms"
    assert (SHIPPED / FILE).is_file()


WRONG: Final = tomllib.loads(Path(__file__).with_name("wrong_declarations.toml").read_text(encoding="utf-8"))[
    "mistakes"
]


@pytest.mark.parametrize("mistake", WRONG, ids=lambda each: each["what"])
def test_a_wrong_declaration_is_refused_in_a_line_that_helps(mistake: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(InvalidStream) as refused:
        load_stream(declare(tmp_path, (mistake["in_place_of"], mistake["is"])))
    lines = str(refused.value).splitlines()
    assert any(mistake["said"] in line for line in lines), lines
    assert all(line.startswith("stream.toml") for line in lines)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("{", "event.avsc:1: no JSON"),
        ("[" * 100_000, "event.avsc: is nested too deep"),
        ('"string"', "event.avsc: it describes no record"),
        (
            {"type": "record", "name": "e", "fields": [{"name": "x", "type": "strnig"}]},
            "no type is called strnig",
        ),
        ("x" * (MAX_FILE_BYTES + 1), "event.avsc: is larger than 4 MiB"),
    ],
)
def test_a_wrong_schema_is_refused_in_a_line_that_helps(tmp_path: Path, schema: Any, said: str) -> None:
    with pytest.raises(InvalidStream, match=said.replace("[", r"\[")):
        load_stream(declare(tmp_path, schema=schema))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("", "campaigns.csv:1: the first line must be value,name"),
        ("id,title\n", "campaigns.csv:1: the first line must be value,name"),
        ("value,name\na,A\na,B\n", "campaigns.csv:3: a has a name already"),
        ("value,name\na\n", "campaigns.csv:2: write a value, a comma and its name"),
        ('value,name\n"a" b,A\n', "campaigns.csv:2: no CSV"),
        ("value,name\na,뉴스\n".encode("euc-kr"), "campaigns.csv:2: is not in UTF-8"),
    ],
)
def test_a_wrong_file_of_names_is_refused_in_a_line_that_helps(
    tmp_path: Path, names: str | bytes, said: str
) -> None:
    with pytest.raises(InvalidStream, match=said):
        load_stream(declare(tmp_path, names=names))


def test_a_spreadsheets_mark_before_the_names_is_no_part_of_them(tmp_path: Path) -> None:
    assert load_stream(declare(tmp_path, names="\ufeffvalue,name\r\na,A\r\n")).names == {
        "campaign": {"a": "A"}
    }


def test_a_folder_without_a_declaration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidStream, match=f"{FILE}: cannot be read: No such file"):
        load_stream(tmp_path / "nowhere")
    with pytest.raises(InvalidStream, match="cannot be read"):
        load_stream(tmp_path)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    changes = (('"event_id"', '"id"'), ('"clicked"', '"click"'), ('"position"', '"place"'))
    with pytest.raises(InvalidStream) as refused:
        load_stream(declare(tmp_path, *changes))
    assert [line.split(":")[1] for line in str(refused.value).splitlines()] == ["6", "8", "16"]
