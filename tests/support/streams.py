"""A declared stream, other than the one that ships."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from contract.stream.load import FILE

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "event",
    "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "seconds", "type": "long"},
        {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-millis"}},
        {"name": "clicked", "type": "boolean"},
        {"name": "kind", "type": {"type": "enum", "name": "kind", "symbols": ["VIEW", "CLICK"]}},
        {"name": "campaign", "type": ["null", "string"], "default": None},
        {"name": "position", "type": "int"},
        {"name": "cost", "type": "long"},
        {"name": "rate", "type": "double"},
        {"name": "maybe", "type": ["null", "int"], "default": None},
    ],
}

TOML: Final = """\
name = "shop"
title = { en = "Shop" }

[event]
schema = "event.avsc"
id = "event_id"
time = { field = "ts" }
click = { field = "clicked" }

[[dimensions]]
field = "campaign"
title = { en = "Campaign", ko = "캠페인" }
names = "campaigns.csv"

[[dimensions]]
field = "position"
title = { en = "Position" }
rates = "by_position"

[[measures]]
field = "cost"
title = { en = "Cost" }
unit = "USD"
scale = 0.000001
per = ["click", "1000 impressions"]
"""


def declare(
    folder: Path,
    *changes: tuple[str, str],
    schema: Any = SCHEMA,
    names: str | bytes = "value,name\na,A\n",
    more: str = "",
) -> Path:
    """A folder with the declaration above, changed, and more behind it."""
    text = TOML + more
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    (folder / FILE).write_text(text, encoding="utf-8")
    written = schema if isinstance(schema, str) else json.dumps(schema)
    (folder / "event.avsc").write_text(written, encoding="utf-8")
    (folder / "campaigns.csv").write_bytes(names if isinstance(names, bytes) else names.encode())
    return folder
