"""`ctr dead-letters`: what was refused, and why."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from ctr_platform.dead_letters.events import EventDecoder
from ctr_platform.dead_letters.read import read_letters, summarize
from ctr_platform.errors import CtrError
from ctr_platform.registry.client import registry_client
from ctr_platform.settings import load_settings

if TYPE_CHECKING:
    from ctr_platform.dead_letters.letters import Letter

app: Final = typer.Typer(
    help="Look into the dead letter queue: late and dead records, with the reason.", no_args_is_help=True
)

MAX_SHOWN_BYTES: Final = 200
"""Of a value that cannot be decoded; its length is always told."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, a line for each.")]


@app.command("list")
def list_reasons(*, as_json: AsJson = False) -> None:
    """Count the refused records by reason."""
    found = summarize(read_letters(load_settings()))
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


@app.command()
def sample(
    reason: Annotated[str | None, typer.Option(help="Only records refused for this.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 10,
    *,
    as_json: AsJson = False,
) -> None:
    """Show refused records, decoded where that is possible."""
    settings = load_settings()
    chosen = (each for each in read_letters(settings) if reason in (None, each.reason))
    with registry_client(settings) as registry:
        decoder = EventDecoder(settings, registry)
        for letter in islice(chosen, limit):
            _show(_described(letter, decoder), as_json=as_json)


@app.command()
def show(
    coordinates: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="Of the refused record.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one refused record with everything that is known of it."""
    if re.fullmatch(r"\d+:\d+", coordinates) is None:
        raise CtrError(f"{coordinates!r}: write PARTITION:OFFSET, such as 2:1047", exit_status=2)
    settings = load_settings()
    letter = next((each for each in read_letters(settings) if each.coordinates == coordinates), None)
    if letter is None:
        raise CtrError(
            f"no letter speaks of {coordinates}: it was counted, or its letter is older than retention"
        )
    with registry_client(settings) as registry:
        _show(_described(letter, EventDecoder(settings, registry)), as_json=as_json)


def _described(letter: Letter, decoder: EventDecoder) -> dict[str, Any]:
    event = decoder.decode(letter.value)
    described: dict[str, Any] = {
        "record": f"{letter.topic} {letter.coordinates}",
        "reason": letter.reason,
        "message": letter.message,
        "written": _time(letter.written_ms),
        "key": None if letter.key is None else letter.key.decode(errors="backslashreplace"),
        "headers": {name: None if value is None else value.hex(" ") for name, value in letter.headers},
        "bytes": None if letter.value is None else len(letter.value),
    }
    if event is not None:
        return {**described, "event": event}
    return {**described, "hex": None if letter.value is None else letter.value[:MAX_SHOWN_BYTES].hex(" ")}


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
