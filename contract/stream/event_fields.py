"""What the declared fields are in the event's Avro schema, and whether they can be what is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from contract.avro_schema import NotAvro, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.stream.declaration import Stream

Kind = Literal["string", "int", "long", "boolean", "enum"]
TimeUnit = Literal["ms", "s", "us"]

_LOGICAL_UNITS: Final[Mapping[str, TimeUnit]] = {"timestamp-millis": "ms", "timestamp-micros": "us"}
_KINDS: Final = get_args(Kind)


class NoEvent(Exception):  # noqa: N818 - a state of the schema
    """A schema that describes no event."""


@dataclass(frozen=True)
class EventField:
    """A field of the schema, as far as it can be declared."""

    kind: Kind
    logical_type: str | None = None
    symbols: tuple[str, ...] = ()
    """Of an enum."""


Location = tuple[str | int, ...]


def event_fields(schema: Any) -> dict[str, EventField | None]:
    """Return the fields of an event's schema by name; None: of a type that nothing can be declared of.

    Raises:
        NoEvent: it describes no record.
    """
    try:
        names_of(schema, {})
    except (NotAvro, RecursionError) as error:
        raise NoEvent(f"it is no Avro schema: {error}") from None
    if not isinstance(schema, Mapping) or schema.get("type") != "record":
        raise NoEvent("it describes no record")
    return {each["name"]: _field(each["type"]) for each in schema["fields"]}


def _field(kind: Any) -> EventField | None:
    if isinstance(kind, list):
        # A text may be missing: null counts as blank.
        others = [each for each in kind if each != "null"]
        found = _field(others[0]) if len(others) == 1 and len(kind) == 2 else None  # noqa: PLR2004
        return found if found is not None and found.kind in ("string", "enum") else None
    described: Mapping[str, Any] = kind if isinstance(kind, Mapping) else {"type": kind}
    name = described["type"]
    if name not in _KINDS:
        return None
    logical = described.get("logicalType")
    symbols = tuple(map(str, described.get("symbols", ()))) if name == "enum" else ()
    return EventField(name, logical if isinstance(logical, str) else None, symbols)


def time_unit(stream: Stream, fields: Mapping[str, EventField | None]) -> TimeUnit | None:
    """What the event's time counts; None: nobody says."""
    found = fields.get(stream.event.time.field)
    logical = _LOGICAL_UNITS.get(found.logical_type or "") if found else None
    return stream.event.time.unit or logical


def mistakes(stream: Stream, fields: Mapping[str, EventField | None]) -> Iterator[tuple[Location, str]]:
    """What of the declaration the schema does not bear: where in the declaration, and what to do."""
    event = stream.event
    yield from _not_of(fields, event.id, ("string",), ("event", "id"))
    yield from _time_mistakes(stream, fields)
    yield from _click_mistakes(stream, fields)
    for number, dimension in enumerate(stream.dimensions):
        place = ("dimensions", number, "field")
        yield from _not_of(fields, dimension.field, ("string", "int", "enum", "boolean"), place)
        if dimension.field == event.time.field:
            yield place, "the time is no dimension: each event would be a segment of its own"
        if dimension.field == event.id:
            yield place, "the id is no dimension: each event would be a segment of its own"
    for number, field in enumerate(event.kept):
        kept: Location = ("event", "kept", number)
        yield from _not_of(fields, field, ("string", "int", "long", "enum", "boolean"), kept)
        if field in {event.id, event.time.field, event.click.field}:
            yield kept, f"{field} is kept anyway"
    for number, measure in enumerate(stream.measures):
        place = ("measures", number, "field")
        yield from _not_of(fields, measure.field, ("int", "long"), place)
        if measure.field == event.time.field:
            yield place, "the time is no measure: a sum of moments says nothing"


def _not_of(
    fields: Mapping[str, EventField | None], name: str, kinds: tuple[Kind, ...], place: Location
) -> Iterator[tuple[Location, str]]:
    if name not in fields:
        near = sorted(each for each in fields if each.lower() == name.lower())
        yield place, f"the schema has no field {name}" + (f": do you mean {near[0]}?" if near else "")
    elif (found := fields[name]) is None or found.kind not in kinds:
        is_a = "of another type" if found is None else f"{_article(found.kind)} {found.kind}"
        yield place, f"the schema's {name} is {is_a}: it must be {_any_of(kinds)}"


def _time_mistakes(stream: Stream, fields: Mapping[str, EventField | None]) -> Iterator[tuple[Location, str]]:
    time = stream.event.time
    place = ("event", "time", "field")
    wrong = list(_not_of(fields, time.field, ("long",), place))
    yield from wrong
    if wrong:
        return
    found = fields[time.field]
    logical = found.logical_type if found else None
    said = _LOGICAL_UNITS.get(logical or "")
    if said is None and logical is not None:
        yield place, f"the schema's {time.field} is {logical}, which is no moment in UTC that is supported"
    elif said is None and time.unit is None:
        yield ("event", "time"), 'say what it counts: unit = "ms", "s" or "us"'
    elif said is not None and time.unit not in (None, said):
        yield (
            ("event", "time", "unit"),
            f'the schema says by {logical} that it counts "{said}": leave unit out, or change one of them',
        )


def _click_mistakes(
    stream: Stream, fields: Mapping[str, EventField | None]
) -> Iterator[tuple[Location, str]]:
    click = stream.event.click
    place = ("event", "click", "field")
    found = fields.get(click.field)
    if click.equals is None:
        if found is not None and found.kind in ("string", "enum"):
            yield (
                place,
                f'the schema\'s {click.field} is {_article(found.kind)} {found.kind}: say equals = "..."',
            )
        else:
            yield from _not_of(fields, click.field, ("int", "boolean"), place)
        return
    wrong = list(_not_of(fields, click.field, ("string", "enum"), place))
    yield from wrong
    if not wrong and found is not None and found.kind == "enum" and click.equals not in found.symbols:
        yield (
            ("event", "click", "equals"),
            f"{click.field} has no symbol {click.equals}: it is one of {', '.join(found.symbols)}",
        )


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _any_of(kinds: tuple[str, ...]) -> str:
    *first, last = (f"{_article(each)} {each}" for each in kinds)
    return f"{', '.join(first)} or {last}" if first else last
