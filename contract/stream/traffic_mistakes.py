"""Whether the schema bears what is declared of synthetic events and click logs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from contract.stream.traffic import ISO, UNITS
from contract.stream.values import fits, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contract.stream.declaration import Stream
    from contract.stream.event_fields import EventField, Location
    from contract.stream.traffic import Drawn

    Fields = Mapping[str, EventField | None]
    Mistakes = Iterator[tuple[Location, str]]

_INT32: Final = range(-(2**31), 2**31)
_LATE: Final = datetime(2037, 12, 31, 23, 59, 59, 999999, UTC)
"""A moment whose numbers are about as large as any that will be sent."""

_FORMATS: Final = 'write "ms", "s", "us" or a format such as "%y%m%d%H"'


def traffic_mistakes(stream: Stream, fields: Fields) -> Mistakes:
    """Return what is wrong with `[traffic]` and `[replay]`: where in the declaration, and what to do."""
    yield from _segment_mistakes(stream, fields)
    yield from _together_mistakes(stream, fields)
    for name, drawn in stream.traffic.fields.items():
        place = ("traffic", "fields", name)
        wrong = list(_not_drawn(stream, fields, name, place))
        yield from wrong or _drawn_mistakes(fields[name], name, drawn, place)
    yield from _twice(stream)
    for name, form in stream.traffic.times.items():
        yield from _time_mistakes(stream, fields, name, form)
    if stream.traffic.not_clicked is not None and stream.event.click.equals in (
        None,
        stream.traffic.not_clicked,
    ):
        yield ("traffic", "not_clicked"), "this is for a click that has equals, and another value than that"
    elif stream.traffic.not_clicked is not None:
        click = fields.get(stream.event.click.field)
        if click is not None and not fits(click, stream.traffic.not_clicked):
            yield ("traffic", "not_clicked"), f"it is one of {', '.join(click.symbols)}"
    yield from _replay_mistakes(stream, fields)


def _unknown(fields: Fields, name: str, place: Location) -> Mistakes:
    if name not in fields:
        near = sorted(each for each in fields if each.lower() == name.lower())
        yield place, f"the schema has no field {name}" + (f": do you mean {near[0]}?" if near else "")


def _not_drawn(stream: Stream, fields: Fields, name: str, place: Location) -> Mistakes:
    event = stream.event
    yield from _unknown(fields, name, place)
    if name in (event.id, event.time.field, event.click.field):
        yield place, f"{name} is the id, the time or the click: it is made by itself"
    elif name in stream.traffic.times:
        yield place, f"{name} is one of traffic.times already"
    elif name in fields and fields[name] is None:
        yield place, f"the schema's {name} is of a type that cannot be drawn: leave it out"


def _not_of_kind(fields: Fields, name: str, value: bool | int | str, place: Location) -> Mistakes:  # noqa: FBT001
    found = fields.get(name)
    if found is not None and not fits(found, value):
        choice = f" of {', '.join(found.symbols)}" if found.symbols else ""
        yield place, f"{value!r} is no {found.kind}{choice}, which the schema's {name} is"


def _segment_mistakes(stream: Stream, fields: Fields) -> Mistakes:
    segments = stream.traffic.segments
    for number, segment in enumerate(segments):
        place: Location = ("traffic", "segments", number, "values")
        if segment.values.keys() != segments[0].values.keys():
            yield place, f"every segment has the same fields: {', '.join(segments[0].values)}"
            continue
        for name, value in segment.values.items():
            if number == 0:
                yield from _not_drawn(stream, fields, name, place)
            yield from _not_of_kind(fields, name, value, place)


def _together_mistakes(stream: Stream, fields: Fields) -> Mistakes:
    for number, each in enumerate(stream.traffic.together):
        place: Location = ("traffic", "together", number)
        for column, name in enumerate(each.fields):
            yield from _not_drawn(stream, fields, name, (*place, "fields"))
            for values in each.values:
                yield from _not_of_kind(fields, name, values[column], (*place, "values"))


def _twice(stream: Stream) -> Mistakes:
    """What is described in two places."""
    traffic = stream.traffic
    seen = set(traffic.segments[0].values) if traffic.segments else set()
    for number, each in enumerate(traffic.together):
        for name in each.fields:
            if name in seen:
                yield ("traffic", "together", number, "fields"), f"{name} is described twice"
            seen.add(name)
    for name in traffic.fields:
        if name in seen:
            yield ("traffic", "fields", name), f"{name} is described twice"


def _drawn_mistakes(field: EventField | None, name: str, drawn: Drawn, place: Location) -> Mistakes:
    assert field is not None  # noqa: S101 - else it was a mistake
    if drawn.distinct is not None and field.kind != "string":
        yield place, f"distinct makes texts: the schema's {name} is of another type, {field.kind}"
    if drawn.between is not None:
        if field.kind not in ("int", "long"):
            yield place, f"range makes whole numbers: the schema's {name} is of another type, {field.kind}"
        elif field.kind == "int" and not (drawn.between[0] in _INT32 and drawn.between[1] - 1 in _INT32):
            yield place, f"the schema's {name} is an int: 32 bits"
    for text in drawn.weights or ():
        try:
            value_of(field, text)
        except ValueError as error:
            yield (*place, "weights"), f"{name} is {error}"


def _time_mistakes(stream: Stream, fields: Fields, name: str, form: str) -> Mistakes:
    place: Location = ("traffic", "times", name)
    found = fields.get(name)
    if name not in fields:
        yield from _unknown(fields, name, place)
        return
    if name in (stream.event.time.field, stream.event.id, stream.event.click.field):
        yield place, f"{name} is the id, the time or the click: it is made by itself"
        return
    if found is None or found.kind not in ("int", "long", "string"):
        yield place, f"the schema's {name} must be an int, a long or a string"
        return
    if form in UNITS:
        if found.kind == "int" and form != "s":
            yield place, f"the schema's {name} is an int, of 32 bits: {form} need a long"
        return
    if "%" not in form:
        yield place, _FORMATS
        return
    written = _LATE.strftime(form)
    if found.kind != "string" and not (written.isascii() and written.isdigit()):
        yield place, f"{form} makes {written}, but the schema's {name} is a whole number"
    elif found.kind == "int" and int(written) not in _INT32:
        yield place, f"{form} makes {written}, but the schema's {name} is an int, of 32 bits"


def _replay_mistakes(stream: Stream, fields: Fields) -> Mistakes:
    replay = stream.replay
    for name in replay.columns:
        place: Location = ("replay", "columns", name)
        yield from _unknown(fields, name, place)
        if name == stream.event.time.field:
            yield place, "the event time comes from replay.time"
        elif name in fields and not replay.columns[name]:
            yield place, "write the name of a column"
    if replay.time is None or replay.time.format in (*UNITS, ISO):
        return
    form = replay.time.format
    place = ("replay", "time", "format")
    if "%" not in form:
        yield place, f'write "{ISO}", or {_FORMATS.removeprefix("write ")}'
        return
    try:
        read = datetime.strptime(_LATE.strftime(form), form)  # noqa: DTZ007 - the day alone matters
    except ValueError:
        yield place, f"{form} cannot be read: see the format codes of Python's strptime"
        return
    if read.date() != _LATE.date():
        yield place, f"{form} names no day"
