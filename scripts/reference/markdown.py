"""Pieces of the generated pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.errors import CtrError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class UndocumentedError(CtrError):
    """Something that users see has no description where it is defined."""


def described(what: str, description: str | None) -> str:
    """The description as one line.

    Raises:
        UndocumentedError: there is none.
    """
    text = " ".join((description or "").split())
    if not text:
        raise UndocumentedError(f"{what} has no description: add it where it is defined")
    return text


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a `|` in a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(each) for each in line)} |\n" for line in lines)


def page(title: str, source: str, *parts: str) -> str:
    """A whole page; `source` says where its content is defined."""
    note = f"Generated from {source} by `make docs`. Change it there.\n"
    return "\n".join([f"# {title}\n", note, *parts])


def code(value: object) -> str:
    """A value as inline code; nothing for an empty one."""
    return f"`{value}`" if str(value) else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
