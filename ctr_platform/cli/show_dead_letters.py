"""What `ctr dead-letters` shows of the dead letter queue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from contract.errors import CtrError
from contract.settings import load_settings
from ctr_platform.defs.dead_letters.read import find_dead_letter, read_dead_letters, summarize
from ctr_platform.defs.registry.client import registry_client
from ctr_platform.defs.registry.decoder import EventDecoder

if TYPE_CHECKING:
    from ctr_platform.defs.dead_letters.messages import DeadLetter

MAX_SHOWN_BYTES: Final = 200
"""A value that cannot be decoded is shown up to here; its length is always shown."""


def show_reasons(limit: int | None, *, as_json: bool) -> None:
    """Print how many records each reason has, among the newest messages or all."""
    found = summarize(read_dead_letters(load_settings(), newest=limit))
    if as_json:
        for each in found:
            typer.echo(json.dumps(vars(each), ensure_ascii=False))
        return
    console = Console()
    if not found:
        console.print("No record has been refused.")
        return
    table = Table("reason", "records", "first", "last", "for example")
    for each in found:
        table.add_row(
            each.reason, f"{each.records:,}", _time(each.first_ms), _time(each.last_ms), each.example
        )
    console.print(table)


def show_sample(reason: str | None, limit: int, *, as_json: bool) -> None:
    """Print the first records of a reason, or of all."""
    settings = load_settings()
    chosen = (each for each in read_dead_letters(settings) if reason in (None, each.reason))
    with registry_client(settings) as registry:
        decoder = EventDecoder(settings, registry, kept=False)
        for dead_letter in islice(chosen, limit):
            _show(_described(dead_letter, decoder), as_json=as_json)


def show_record(coordinates: str, *, as_json: bool) -> None:
    """Print the record of these coordinates.

    Raises:
        CtrError: the queue does not hold it.
    """
    settings = load_settings()
    partition, offset = map(int, coordinates.split(":"))
    dead_letter = find_dead_letter(settings, partition, offset)
    if dead_letter is None:
        raise CtrError(
            f"no dead-letter message is about {coordinates}: it was counted, or retention deleted the message"
        )
    with registry_client(settings) as registry:
        _show(_described(dead_letter, EventDecoder(settings, registry, kept=False)), as_json=as_json)


def _described(dead_letter: DeadLetter, decoder: EventDecoder) -> dict[str, Any]:
    event = decoder.decode(dead_letter.value)
    described: dict[str, Any] = {
        "record": f"{dead_letter.topic} {dead_letter.coordinates}",
        "reason": dead_letter.reason,
        "message": dead_letter.message,
        "written": _time(dead_letter.written_ms),
        "key": None if dead_letter.key is None else dead_letter.key.decode(errors="backslashreplace"),
        "headers": {name: None if value is None else value.hex(" ") for name, value in dead_letter.headers},
        **({} if dead_letter.omitted is None else {"omitted": dead_letter.omitted}),
        "bytes": None if dead_letter.value is None else len(dead_letter.value),
    }
    if event is not None:
        return {**described, "event": event}
    return {
        **described,
        "hex": None if dead_letter.value is None else dead_letter.value[:MAX_SHOWN_BYTES].hex(" "),
    }


def _show(described: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(described, ensure_ascii=False, default=repr))
        return
    console = Console()
    console.print(f"[bold]{described.pop('record')}[/bold]", highlight=False)
    for name, value in described.items():
        console.print(f"  {name:8} {value}", markup=False, soft_wrap=True)


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")
