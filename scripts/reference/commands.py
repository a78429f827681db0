"""The page of `ctr`'s commands."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from ctr_platform.cli.app import app
from scripts.reference.markdown import code, described, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands_page(group: typer.Typer = app) -> str:
    """Every command with its arguments and options."""
    parts = [_section(name, command) for name, command in commands(group)]
    return page(
        "Command line",
        "`ctr_platform/cli`",
        "`.venv/bin/ctr` after `make setup`. It finds a running embedded stack by itself; else it reads the\n"
        "[settings](settings.md). `ctr COMMAND --help` says the same as this page.\n",
        *parts,
    )


def commands(group: typer.Typer) -> Iterator[tuple[str, Any]]:
    """Every command and its full name, such as `ctr dead-letters list`."""
    root = typer.main.get_command(group)
    yield from _below("ctr", root, typer.Context(root))


def _below(name: str, command: Any, context: typer.Context) -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    for each in command.list_commands(context):
        yield from _below(f"{name} {each}", command.get_command(context, each), context)


def _section(name: str, command: Any) -> str:
    help_text = inspect.cleandoc(described(name, command.help) and (command.help or ""))
    rows = [_row(name, each) for each in command.params if not each.hidden and each.name != "help"]
    shown = (
        table(("argument or option", "meaning", "default"), rows) if rows else "No arguments or options.\n"
    )
    return f"## {name}\n\n{help_text}\n\n{shown}"


def _row(command: str, parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        wanted = code(name if parameter.required else f"[{name}]")
    else:
        names = ", ".join((*parameter.opts, *parameter.secondary_opts))
        flag = getattr(parameter, "is_flag", False)
        wanted = code(names if flag else f"{names} {parameter.metavar or 'VALUE'}")
    meaning = described(f"{command}: {wanted}", parameter.help)
    default = parameter.default
    shown = "" if default in (None, False, ()) or callable(default) else code(default)
    return wanted, meaning, shown
