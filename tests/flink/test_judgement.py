"""One judgement of bytes: job, recount and Avro's own reader are given the same events, many of them damaged.

Job and recount must say the same. Avro's reader believes more than they do (it follows a union to any depth,
and cuts a number down to its type), but never the contrary: what it cannot read, neither of them reads.
"""

from __future__ import annotations

import base64
import io
import json
import random
from typing import TYPE_CHECKING, Any, Final

import fastavro

from contract.wire import event_type
from ctr_platform.defs.reconciliation.decode import decode, writer_schema
from tests.oracle import schema_file
from tests.support.java_tests import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OWN: Final[dict[str, Any]] = json.loads(schema_file().read_text(encoding="utf-8"))
SCHEMAS: Final = 150
EVENTS: Final = 60
"""Of each schema; about half of them damaged."""

MOST_NESTED: Final = 3
HEADER: Final = bytes(5)
PRIMITIVES: Final = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
TEXTS: Final = ("", " ", "news", "뉴스", "x" * 130, "a\0b")


class Making:
    """Schemas and events by a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._names = 0

    def schema(self) -> dict[str, Any]:
        """The platform's own, changed in what a producer may change."""
        fields = [{name: each[name] for name in ("name", "type")} for each in OWN["fields"]]
        for field in fields:
            if field["name"] == "site_category":
                field["type"] = self.random.choice(["string", "bytes", ["null", "string"], ["bytes", "null"]])
        more = [
            {"name": f"more{number}", "type": self._type(0)} for number in range(self.random.randint(0, 4))
        ]
        fields += more
        self.random.shuffle(fields)
        return {"type": "record", "name": "Event", "fields": fields}

    def _type(self, depth: int) -> Any:
        nested = ["array", "map", "record", "union", "list"] if depth < MOST_NESTED else []
        kind = self.random.choice([*PRIMITIVES, "enum", "fixed", *nested])
        if kind in PRIMITIVES:
            return kind
        self._names += 1
        name = f"T{self._names}"
        made: dict[str, Callable[[], Any]] = {
            "enum": lambda: {"type": "enum", "name": name, "symbols": ["A", "B", "C"]},
            "fixed": lambda: {"type": "fixed", "name": name, "size": self.random.choice([0, 1, 7])},
            "array": lambda: {"type": "array", "items": self._type(depth + 1)},
            "map": lambda: {"type": "map", "values": self._type(depth + 1)},
            "record": lambda: {"type": "record", "name": name, "fields": self._fields("f", 3, depth + 1)},
            "list": lambda: {
                "type": "record",
                "name": name,
                "fields": [{"name": "next", "type": ["null", name]}],
            },
            "union": lambda: self.random.sample(PRIMITIVES, self.random.randint(1, 3)),
        }
        return made[kind]()

    def _fields(self, prefix: str, most: int, depth: int) -> list[dict[str, Any]]:
        count = self.random.randint(0, most)
        return [{"name": f"{prefix}{number}", "type": self._type(depth)} for number in range(count)]

    def event(self, schema: dict[str, Any]) -> bytes:
        """One in Avro, or what damage has made of it."""
        body = io.BytesIO()
        fastavro.schemaless_writer(body, fastavro.parse_schema(schema), self._value(schema, {}))
        return self._damaged(bytearray(body.getvalue()))

    def _value(self, kind: Any, known: dict[str, Any]) -> Any:
        if isinstance(kind, list):
            return self._value(self.random.choice(kind), known)
        if isinstance(kind, dict):
            return self._complex(kind, {**known, **({kind["name"]: kind} if "name" in kind else {})})
        if kind in known:
            return self._value(known[kind], known)
        made: dict[str, Any] = {
            "null": None,
            "boolean": self.random.random() < 0.5,
            "int": self.random.choice([0, 1, -1, 2**31 - 1, -(2**31), self.random.randint(-999, 999)]),
            "long": self.random.choice([0, 1_700_000_000_000, 2**63 - 1, -(2**63)]),
            "float": 0.5,
            "double": -0.25,
            "bytes": self.random.randbytes(self.random.randint(0, 5)),
            "string": self.random.choice(TEXTS),
        }
        return made[kind]

    def _complex(self, kind: dict[str, Any], known: dict[str, Any]) -> Any:
        if kind["type"] == "enum":
            return self.random.choice(kind["symbols"])
        if kind["type"] == "fixed":
            return self.random.randbytes(kind["size"])
        if kind["type"] == "array":
            return [self._value(kind["items"], known) for _ in range(self.random.randint(0, 3))]
        if kind["type"] == "map":
            return {str(n): self._value(kind["values"], known) for n in range(self.random.randint(0, 3))}
        return {each["name"]: self._value(each["type"], known) for each in kind["fields"]}

    def _damaged(self, value: bytearray) -> bytes:
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            at = self.random.randrange(len(value) + 1)
            change = self.random.randrange(4)
            if change == 0:
                del value[at:]
            elif change == 1:
                value[at:at] = self.random.choice([b"\x80", b"\xff" * 10, b"\1", self.random.randbytes(3)])
            elif change == 2 and at < len(value):
                value[at] = self.random.choice([0, 1, 2, 3, 0x7F, 0x80, 0xFF, self.random.randrange(256)])
            elif at < len(value):
                del value[at]
        return bytes(value)


def judged_by_the_recount(schema: dict[str, Any], values: list[bytes]) -> list[str]:
    found = writer_schema(event_type(schema))
    decoded = decode([HEADER + value for value in values], lambda _identifier: found)
    fields = zip(decoded.timestamp_ms, decoded.click, decoded.device_type, decoded.category, strict=True)
    return [
        str(dead) or f"{time_ms} {click} {device} {base64.b64encode(str(category).encode()).decode()}"
        for dead, (time_ms, click, device, category) in zip(decoded.dead, fields, strict=True)
    ]


def disagreements(folder: Path, seed: int, schemas: int) -> tuple[int, list[str]]:
    """How many events were judged alike and valid, and a line for each that was not judged alike."""
    making = Making(seed)
    lines, recount, asked = [], [], []
    for _ in range(schemas):
        schema = making.schema()
        values = [making.event(schema) for _ in range(EVENTS)]
        lines += [json.dumps(schema), *(value.hex() for value in values)]
        recount += judged_by_the_recount(schema, values)
        asked += [(json.dumps(schema), value.hex()) for value in values]
    done = run(folder, ["ctr.ingest.Judge"], "\n".join(lines) + "\n")
    assert done.returncode == 0, done.stderr
    wrong, valid = [], 0
    for (schema_json, value_hex), ours, line in zip(asked, recount, done.stdout.splitlines(), strict=True):
        job, avro = line.split("\t")
        alike = job == ours and (job == "malformed" or avro in {job, "too large"})
        valid += alike and job not in {"malformed", "unknown_schema"}
        if not alike:
            wrong.append(f"seed {seed}: job {job}, recount {ours}, Avro {avro}: {schema_json} {value_hex}")
    return valid, wrong


def test_job_recount_and_avro_judge_alike(tmp_path: Path) -> None:
    valid, wrong = disagreements(tmp_path, seed=random.randrange(10**9), schemas=SCHEMAS)
    assert not wrong, "\n".join(wrong[:5])
    assert valid > SCHEMAS * EVENTS / 10
