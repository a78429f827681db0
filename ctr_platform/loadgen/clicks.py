"""What a stream's click field holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contract.stream.load import DeclaredStream

    Clicked = bool | int | str


@dataclass(frozen=True)
class ClickField:
    """Its name, and its value with and without a click."""

    name: str
    yes: Clicked
    no: Clicked
    invalid: int | None
    """A value of its type that is neither; None: there is none."""


def click_field(stream: DeclaredStream) -> ClickField:
    """Return the click field of a stream."""
    click = stream.declaration.event.click
    field = stream.fields[click.field]
    assert field is not None  # noqa: S101 - else the stream would not have been read
    if click.equals is None:
        if field.kind == "boolean":
            return ClickField(click.field, yes=True, no=False, invalid=None)
        return ClickField(click.field, yes=1, no=0, invalid=7)
    others = [each for each in field.symbols if each != click.equals] or [f"no_{click.equals}"]
    # An enum of one symbol can say nothing else: each impression is a click.
    made_up = click.equals if field.symbols == (click.equals,) else others[0]
    return ClickField(
        click.field, yes=click.equals, no=stream.declaration.traffic.not_clicked or made_up, invalid=None
    )
