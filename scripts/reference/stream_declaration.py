"""The page of `stream.toml`, and its JSON Schema for editors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pydantic_core import PydanticUndefined

from contract.stream.declaration import Click, Dimension, Event, Measure, Stream, Time, Topics
from contract.stream.traffic import Drawn, LogTime, Replay, Segment, Together, Traffic
from scripts.reference.markdown import code, described, page, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

    from contract.stream.part import Part

INTRODUCTION: Final = """\
A folder declares a stream: `stream.toml`, the Avro schema of its events, and files of names for the values
of its dimensions. `ctr stream check FOLDER` reads all of it, and says of each mistake where it is and what to
do; `ctr stream plan` says what a change of it takes. `CTR_STREAM` names the folder; by default it is the
stream that ships, `contract/streams/avazu`. [Your own events](../your-own-events.md) shows it step by step.

The asset `postgres/migrations` puts the names into `realtime.dimension_names`, from which
[the dashboard](../dashboard.md#names-of-values) shows them.

Editors that read `#:schema` complete and check the file: begin it with the path of
`docs/reference/stream.schema.json`.
"""

TABLES: Final[Mapping[str, type[Part]]] = {
    "Top of the file": Stream,
    "[event]": Event,
    "event.time": Time,
    "event.click": Click,
    "[topics]": Topics,
    "[[dimensions]], one to six": Dimension,
    "[[measures]]": Measure,
    "[traffic]": Traffic,
    "[[traffic.segments]]": Segment,
    "[[traffic.together]]": Together,
    "traffic.fields, by the name of a field": Drawn,
    "[replay]": Replay,
    "replay.time": LogTime,
}


def stream_declaration_page(tables: Mapping[str, type[Part]] = TABLES) -> str:
    """Every table and key of the file."""
    parts = []
    for name, part in tables.items():
        rows = [_row(f"{name}: {key}", key, field) for key, field in part.model_fields.items()]
        parts.append(f"## {name}\n\n{part.__doc__}\n\n{table(('key', 'default', 'meaning'), rows)}")
    return page("stream.toml", "`contract/stream`", INTRODUCTION, *parts)


def stream_json_schema() -> str:
    """The file's JSON Schema."""
    return json.dumps(Stream.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _row(what: str, key: str, field: FieldInfo) -> tuple[str, str, str]:
    meaning = described(what, field.description)
    return code(field.alias or key), _default(field), meaning


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is PydanticUndefined or value in (None, "", ()):
        return ""
    return code(str(value)) if isinstance(value, str | float) else ""
