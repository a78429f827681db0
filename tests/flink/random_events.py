"""Schemas of events, and events of them in Avro's encoding, by a seed; about half of the events are damaged.

The encoding is made here, value by value, because a library would not write what other producers may:
blocks that say their size in bytes, numbers at greater length than they need, lists too deep.
"""

from __future__ import annotations

import json
import random
import struct
from typing import TYPE_CHECKING, Any, Final

from tests.oracle import schema_file

if TYPE_CHECKING:
    from collections.abc import Callable

OWN: Final[dict[str, Any]] = json.loads(schema_file().read_text(encoding="utf-8"))
MOST_NESTED: Final = 3
DEEPEST: Final = 64
"""The contract's: what is nested deeper is malformed."""

PRIMITIVES: Final = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
LOGICAL: Final[tuple[dict[str, Any], ...]] = (
    {"type": "int", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
    {"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 9},  # an invalid one is ignored
    {"type": "string", "logicalType": "uuid"},
    {"type": "string", "avro.java.string": "String"},
    {"type": "int", "logicalType": "unheard-of"},
)
TEXTS: Final = ("", " ", "news", "뉴스", "x" * 130, "a\0b")

WRITTEN_AS: Final[dict[str, tuple[Any, ...]]] = {
    "site_category": (
        "string",
        "bytes",
        ["null", "string"],
        ["bytes", "null"],
        LOGICAL[5],
        ["null", LOGICAL[5]],
    ),
    "id": ("string", ["null", "string"], LOGICAL[4], "bytes"),
    "timestamp": ("long", "int", {"type": "long", "logicalType": "timestamp-millis"}),
    "click": ("int", LOGICAL[0]),
}
"""Types in which a producer may write a field."""

UNUSABLE: Final = ("double", "boolean", ["null", "int"], ["string", "int", "null"], "null")
"""As which no field, or few, can be read."""


class RandomEvents:
    """Schemas and events by a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._count = 0
        self._types: dict[str, dict[str, Any]] = {}
        self._complete: list[str] = []

    # ---- schemas ---------------------------------------------------------------------------------

    def schema(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The platform's own, changed in what a producer may change; and the schemas that it refers to."""
        self._types, self._complete = {}, []
        referenced = [self._defined(0) for _ in range(self.random.choice([0, 0, 1, 2]))]
        fields = [self._own(each) for each in self.random.sample(OWN["fields"], len(OWN["fields"]))]
        more = [self._field(f"more{number}", 0) for number in range(self.random.randint(0, 4))]
        places = sorted(self.random.choices(range(len(fields)), k=len(more)))
        for at, each in reversed(list(zip(places, more, strict=True))):
            fields.insert(at, each)
        if self._chance(20):
            self.random.shuffle(fields)  # a type may be named before it is defined
        schema = {"type": "record", "name": "Event", "fields": fields}
        if self._chance(3):
            schema["namespace"] = "ads"
        return schema, referenced

    def _chance(self, of: int) -> bool:
        return self.random.randrange(of) == 0

    def _own(self, declared: dict[str, Any]) -> dict[str, Any]:
        name = declared["name"]
        field = {"name": name, "type": self.random.choice(WRITTEN_AS.get(name, (declared["type"],)))}
        if self._chance(300):
            field["type"] = self.random.choice(UNUSABLE)
        if self._chance(300):
            # A writer's alias says what a reader may call the field: it is not called so.
            field.update(name=f"{name}_", aliases=[name])
        return field

    def _field(self, name: str, depth: int) -> dict[str, Any]:
        field: dict[str, Any] = {"name": name, "type": self._type(depth)}
        if self._chance(3):
            field.update(doc="a field", order="ignore", aliases=[f"old_{name}"])
        if field["type"] in ("int", "long"):
            field["default"] = 7
        return field

    def _type(self, depth: int) -> Any:
        nested = ["array", "map", "union", "defined", "defined"] if depth < MOST_NESTED else []
        kind = self.random.choice([*PRIMITIVES, "logical", "known", "enum", "fixed", *nested])
        if kind in PRIMITIVES:
            return kind
        made: dict[str, Callable[[], Any]] = {
            "logical": lambda: self.random.choice(LOGICAL),
            "known": lambda: self.random.choice(self._complete or ["null"]),
            "enum": lambda: self._named(
                {"type": "enum", "symbols": ["A", "B", "C"][: self.random.randint(1, 3)]}
            ),
            "fixed": lambda: self._named({"type": "fixed", "size": self.random.choice([0, 1, 7])}),
            "array": lambda: {"type": "array", "items": self._type(depth + 1)},
            "map": lambda: {"type": "map", "values": self._type(depth + 1)},
            "union": lambda: self._union(depth + 1),
            "defined": lambda: self._defined(depth + 1),
        }
        return made[kind]()

    def _named(self, schema: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        name = f"T{self._count}"
        # Either says its namespace, so that no other is inherited.
        namespace = self.random.choice(["", "far.away"])
        schema.update(name=name, namespace=namespace)
        full = f"{namespace}.{name}".lstrip(".")
        self._types[full] = schema
        if schema["type"] != "record":
            self._complete.append(full)
        return schema

    def _union(self, depth: int) -> list[Any]:
        branches: list[Any] = self.random.sample(PRIMITIVES, self.random.randint(1, 3))
        if self._chance(2):
            branches.append({"type": "array", "items": self._type(depth)})
        if self._chance(2):
            branches.append(self._defined(depth))
        return branches

    def _defined(self, depth: int) -> dict[str, Any]:
        """A record; one of two refers to itself."""
        schema = self._named({"type": "record", "fields": []})
        own = next(name for name, each in self._types.items() if each is schema)
        fields = [self._field(f"f{number}", depth) for number in range(self.random.randint(0, 3))]
        if self._chance(2):
            again = [["null", own], {"type": "array", "items": own}, {"type": "map", "values": own}]
            fields.insert(
                self.random.randint(0, len(fields)), {"name": "again", "type": self.random.choice(again)}
            )
        schema["fields"] = fields
        self._complete.append(own)
        return schema

    # ---- events ----------------------------------------------------------------------------------

    def event(self, schema: dict[str, Any]) -> bytes:
        """One in Avro, or what damage has made of it."""
        return self._damaged(bytearray(self._encoded(schema, 0)))

    def _encoded(self, kind: Any, depth: int) -> bytes:
        if isinstance(kind, list):
            choice = self.random.randrange(len(kind))
            if depth > DEEPEST // 2 and "null" in kind:
                choice = kind.index("null")
            return self._number(choice) + self._encoded(kind[choice], depth)
        if isinstance(kind, str):
            return self._primitive(kind) if kind in PRIMITIVES else self._encoded(self._types[kind], depth)
        made: dict[str, Callable[[], bytes]] = {
            "record": lambda: b"".join(self._encoded(each["type"], depth + 1) for each in kind["fields"]),
            "enum": lambda: self._number(self.random.randrange(len(kind["symbols"]))),
            "fixed": lambda: self.random.randbytes(kind["size"]),
            "array": lambda: self._blocks(lambda: self._encoded(kind["items"], depth + 1), depth),
            "map": lambda: self._blocks(
                lambda: self._primitive("string") + self._encoded(kind["values"], depth + 1), depth
            ),
        }
        return made[kind["type"]]() if kind["type"] in made else self._encoded(kind["type"], depth)

    def _blocks(self, item: Callable[[], bytes], depth: int) -> bytes:
        blocks = b""
        for _ in range(
            self.random.choice([0, 1, 1, 2]) if depth < MOST_NESTED + 2 else self.random.randint(0, 1)
        ):
            count = self.random.randint(1, 3 if depth < MOST_NESTED else 1)
            items = b"".join(item() for _ in range(count))
            if self._chance(3):
                blocks += self._number(-count) + self._number(len(items)) + items
            else:
                blocks += self._number(count) + items
        return blocks + self._number(0)

    def _primitive(self, kind: str) -> bytes:
        made: dict[str, Callable[[], bytes]] = {
            "null": lambda: b"",
            "boolean": lambda: self.random.choice([b"\0", b"\1"]),
            "int": lambda: self._number(self.random.choice([0, 1, -1, 2**31 - 1, -(2**31), 999])),
            "long": lambda: self._number(self.random.choice([0, 1_700_000_000_000, 2**63 - 1, -(2**63)])),
            "float": lambda: struct.pack("<f", 0.5),
            "double": lambda: struct.pack("<d", -0.25),
            "bytes": lambda: self._prefixed(self.random.randbytes(self.random.randint(0, 5))),
            "string": lambda: self._prefixed(self.random.choice(TEXTS).encode()),
        }
        return made[kind]()

    def _prefixed(self, content: bytes) -> bytes:
        return self._number(len(content)) + content

    def _number(self, value: int) -> bytes:
        """In zigzag; now and then longer than it need be."""
        left = (value << 1) ^ (value >> 63)
        groups = bytearray()
        while left > 0x7F:  # seven bits
            groups.append(left & 0x7F | 0x80)
            left >>= 7
        groups.append(left)
        if self._chance(200):
            groups[-1] |= 0x80
            groups += b"\x80" * self.random.randint(0, 8) + b"\0"
        return bytes(groups)

    def _damaged(self, value: bytearray) -> bytes:
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            at = self.random.randrange(len(value) + 1)
            change = self.random.randrange(5)
            if change == 0:
                del value[at:]
            elif change == 1:
                value[at:at] = self.random.choice([b"\x80", b"\xff" * 10, b"\1", self.random.randbytes(3)])
            elif change == 2 and at < len(value):
                value[at] = self.random.choice([0, 1, 2, 3, 0x7F, 0x80, 0xFF, self.random.randrange(256)])
            elif change == 3:
                value[at:at] = b"\2" * self.random.choice([2, DEEPEST - 1, DEEPEST, DEEPEST + 1])
            elif at < len(value):
                del value[at]
        return bytes(value)
