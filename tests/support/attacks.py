"""The attack list: input that nobody should send, each kind with what must become of it.

An attack sends through a `TopicWriter`, which remembers the outcome of every record. Each is harmless by
contract: it has an outcome, and costs others neither their events nor their time.
"""

from __future__ import annotations

import json
import random
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import fastavro
from confluent_kafka.schema_registry import Schema
from confluent_kafka.schema_registry.schema_registry_client import SchemaReference

from ctr_platform.defs.registry.client import registry_client
from tests.oracle import MINUTE_MS, schema_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.topic_writer import TopicWriter

MIB: Final = 1 << 20
SHARED: Final = 4
"""Partitions that good traffic goes to."""
ALONE: Final = 4
"""A partition that nobody else sends to: whoever stops time there, stops it for all."""
STALE_MS: Final = 120 * MINUTE_MS
NESTED: Final[Any] = {
    "type": "record",
    "name": "Nested",
    "fields": [{"name": "next", "type": ["null", "Nested"]}],
}
PLACE: Final[Any] = {
    "type": "record",
    "name": "Place",
    "namespace": "geo",
    "fields": [{"name": "city", "type": "string"}],
}


@dataclass(frozen=True)
class Attack:
    """One kind of input."""

    title: str
    send: Callable[[TopicWriter], None]
    holds_up_s: float = 10
    """So long it may cost others a fifth of their pace."""


# ---- records ----------------------------------------------------------------------------------------


def compressed_megabytes(writer: TopicWriter, partition: int = 0) -> None:
    """Values, keys and headers that are small on the wire only: four records."""
    noise = 5 * random.Random(1).randbytes(MIB)
    for value, more in (
        (noise, {}),
        (None, {"key": bytes(20 * MIB)}),
        (b"\1", {"headers": [("trace", bytes(20 * MIB))]}),
        (noise, {"key": noise, "headers": [("trace", noise)]}),
    ):
        writer.send_compressed(partition, value, becomes="malformed", **more)


def long_ids(writer: TopicWriter) -> None:
    """Ids longer than an index row of Postgres may be, enough that a sample of some percent keeps one."""
    for number in range(300):
        event = {"id": random.Random(number).randbytes(3_000).hex()}
        writer.event(number % SHARED, writer.now_ms(), becomes="counted", **event)


def unknown_schemas(writer: TopicWriter, records: int = 50_000) -> None:
    """As fast as it goes, each record with a schema id that no registry gave."""
    noise = random.Random(3)
    for number in range(records):
        writer.send(number % SHARED, b"\0" + noise.randbytes(4) + b"junk", becomes="unknown_schema")


def _many_categories(writer: TopicWriter) -> None:
    categories(writer, distinct=20_000, per_second=1_000, seconds=40)


def _categories_of_their_own(writer: TopicWriter) -> None:
    categories(writer, distinct=None, per_second=500, seconds=60)


def categories(writer: TopicWriter, *, distinct: int | None, per_second: int, seconds: float) -> None:
    """Events with so many categories in turn; None: each event has one of its own."""
    for number in _paced(per_second, seconds):
        category = uuid4().hex if distinct is None else f"category-{number % distinct}"
        writer.event(number % SHARED, writer.now_ms(), becomes="counted", site_category=category)


# ---- schemas ----------------------------------------------------------------------------------------


def own_schema(*more: dict[str, Any], **types: Any) -> dict[str, Any]:
    """The platform's schema with other types of some fields, and more fields."""
    schema: dict[str, Any] = json.loads(schema_file().read_text(encoding="utf-8"))
    for field in schema["fields"]:
        if field["name"] in types:
            field["type"] = types[field["name"]]
            field.pop("default", None)
    schema["fields"] += more
    return schema


def register(writer: TopicWriter, subject: str, schema: Any, *references: SchemaReference) -> int:
    """Id of a schema, of a subject of its own: other teams' producers ask nobody about compatibility."""
    with registry_client(writer.settings) as client:
        name = f"{writer.settings.raw_topic}.{subject}"
        made = Schema(json.dumps(schema), "AVRO", list(references))
        return int(client.register_schema(name, made))


def optional_fields(writer: TopicWriter, at_ms: int) -> dict[bytes, str]:
    """Events of schemas with more fields, good ones and broken ones, and the outcome of each."""

    def optional(name: str, kind: Any) -> int:
        return register(writer, name, own_schema({"name": name, "type": ["null", kind], "default": None}))

    geo, bid, nested = optional("geo", "string"), optional("bid", "int"), optional("nested", NESTED)
    register(writer, "place", PLACE)
    reference = SchemaReference("geo.Place", f"{writer.settings.raw_topic}.place", 1)
    placed = register(writer, "placed", own_schema({"name": "place", "type": "geo.Place"}), reference)

    def event(identifier: int, tail: str) -> bytes:
        return struct.pack(">bI", 0, identifier) + writer.encode(at_ms)[5:] + bytes.fromhex(tail)

    return {
        event(geo, "01 00"): "malformed",  # branch -1
        event(bid, "02 80 80 80 80 80 40"): "malformed",  # 2^40 in an int
        event(bid, "02 82 80 80 80 80 00"): "malformed",  # 1, in more bytes than an int has
        event(nested, "02" * 65 + "00"): "malformed",
        event(nested, "02" * 20_000 + "00"): "malformed",
        event(geo, "00"): "counted",
        event(bid, "02 02"): "counted",
        event(nested, "02" * 64 + "00"): "counted",
        event(placed, "0a") + b"Seoul": "counted",
    }


def _optional_fields(writer: TopicWriter) -> None:
    for value, outcome in optional_fields(writer, writer.now_ms()).items():
        writer.send(0, value, becomes=outcome)


def category_types(writer: TopicWriter) -> dict[str, tuple[int, Any]]:
    """Schemas whose category is bytes, or may be null, as `TopicWriter.encode` takes them."""
    made = {"bytes": own_schema(site_category="bytes"), "null": own_schema(site_category=["null", "string"])}
    return {
        name: (register(writer, name, schema), fastavro.parse_schema(schema)) for name, schema in made.items()
    }


def _category_types(writer: TopicWriter) -> None:
    schemas, now_ms = category_types(writer), writer.now_ms()
    late = writer.encode(now_ms - STALE_MS, schema=schemas["bytes"], site_category="뉴스".encode())
    writer.send(0, late, becomes="late")
    nothing = writer.encode(now_ms, schema=schemas["null"], site_category=None, click=7)
    writer.send(1, nothing, becomes="invalid")


# ---- time -------------------------------------------------------------------------------------------


def _stale_producer(writer: TopicWriter) -> None:
    for _ in _paced(0.2, 40):
        writer.event(ALONE, writer.now_ms() - STALE_MS, becomes="late")


def seconds_for_milliseconds(writer: TopicWriter, seconds: float = 20) -> None:
    """A producer of a whole partition that takes seconds for milliseconds."""
    for _ in _paced(5, seconds):
        writer.event(ALONE, int(time.time()) - writer.base_ms, becomes="invalid")


def fast_clock(writer: TopicWriter, seconds: float = 40, ahead_s: float = 55) -> None:
    """Beside good traffic, an event a second per partition from the future."""
    for _ in _paced(1, seconds):
        for partition in range(SHARED):
            writer.event(partition, writer.now_ms() + int(1000 * ahead_s), becomes="counted")


def _rare_commits(writer: TopicWriter) -> None:
    """Commit more rarely than a partition becomes idle."""
    with writer.transaction() as send:
        for _ in _paced(0.5, 40):
            send(ALONE, writer.encode(writer.now_ms()))


def _paced(per_second: float, seconds: float) -> Iterator[int]:
    """Numbers from 0, so many a second."""
    began = time.monotonic()
    for number in range(int(per_second * seconds)):
        time.sleep(max(0.0, began + number / per_second - time.monotonic()))
        yield number


ATTACKS: Final = (
    Attack("megabytes that compression hides: value, key, header", compressed_megabytes),
    Attack("ids of 6,000 characters, beyond an index row", long_ids),
    Attack("20,000 categories at 1,000 events/s", _many_categories),
    Attack("30,000 events in a minute, each with a category of its own", _categories_of_their_own),
    Attack("50,000 records of as many unknown schema ids, at once", unknown_schemas),
    Attack("nesting 20,000 deep, a branch -1, 2^40 in an int; schemas with references", _optional_fields),
    Attack("a category in bytes two hours late; a null category with click 7", _category_types),
    Attack("a partition of nothing but events two hours old", _stale_producer),
    Attack("a partition of seconds for milliseconds", seconds_for_milliseconds),
    Attack("a clock 55 s ahead, beside traffic", fast_clock),
    Attack("transactions that commit every 40 s", _rare_commits),
)
"""All, in an order of no importance. Those about time need a partition `ALONE`."""
