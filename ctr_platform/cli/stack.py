"""Commands for the embedded stack: up, down, status, env, logs, doctor, fetch."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `ctr --help` is quick

from __future__ import annotations

import itertools
import json
import shlex
from dataclasses import asdict
from typing import Annotated, Final

import typer

from contract.errors import StackDown

INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells have it."""

_STATE_COLOURS: Final = {
    "running": "green",
    "beats": "green",
    "starting": "yellow",
    "stopped": "dim",
    "finished": "dim",
}


def up(
    *,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready.")] = False,
    only: Annotated[
        str | None, typer.Option(help="Start only these services, comma-separated, and what they need.")
    ] = None,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="Choose free ports in place of taken ones.")
    ] = False,
) -> None:
    """Start the whole stack; Ctrl-C stops it again."""
    from ctr_platform.cli.run_stack import run_stack

    names = [name.strip() for name in only.split(",")] if only else None
    run_stack(names, detach=detach, free_ports=free_ports)


def fetch(
    *,
    services: Annotated[
        bool, typer.Option(help="Those of the embedded Kafka and registry, too; `ctr up` needs them.")
    ] = True,
) -> None:
    """Fetch the Java artifacts and build the ingest stage; `ctr up` fetches what is missing too."""
    from rich.console import Console

    from ctr_platform.artifacts.fetch import fetch as fetch_artifacts
    from ctr_platform.artifacts.flink import flink_environment
    from ctr_platform.artifacts.java import build_ingest
    from ctr_platform.cli.start_view import StartView
    from ctr_platform.devstack.service_list import ARTIFACTS, PLATFORM_ARTIFACTS

    with StartView(Console()) as view:
        fetch_artifacts(ARTIFACTS if services else PLATFORM_ARTIFACTS, on_transfer=view.transfer)
        build_ingest()
        flink_environment()


def down() -> None:
    """Stop the stack; its data stays."""
    from rich.console import Console

    from contract.settings import ctr_home
    from ctr_platform.devstack.lifecycle import stop

    console = Console()
    with console.status("stopping"):
        ran = stop(ctr_home())
    console.print("stopped" if ran else "nothing was running")


def status(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs; sizes in bytes.")] = False
) -> None:
    """Show every service, Flink job and watcher's heartbeat. Exit status 3 when the stack is down."""
    from rich.console import Console
    from rich.filesize import decimal
    from rich.table import Column, Table

    from contract.settings import ctr_home
    from ctr_platform.devstack.paths import StackPaths
    from ctr_platform.devstack.status import stack_status

    rows = stack_status(StackPaths(ctr_home()))
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    address = Column("address", overflow="fold")
    table = Table("", "state", "uptime", "memory", address, box=None, pad_edge=False)
    for row in rows:
        name = row.name if row.kind == "service" else f"{row.kind} {row.name}"
        colour = _STATE_COLOURS.get(row.state, "red")
        uptime = _duration(row.uptime_s) if row.uptime_s is not None else "-"
        memory = decimal(row.memory_bytes) if row.memory_bytes is not None else "-"
        table.add_row(name, f"[{colour}]{row.state}[/{colour}]", uptime, memory, row.address)
    table.add_row("[dim]all[/dim]", "", "", decimal(sum(row.memory_bytes or 0 for row in rows)), "")
    Console().print(table)


def env() -> None:
    """Print the stack's addresses as `export` lines, for `eval "$(ctr env)"`."""
    from dotenv import dotenv_values

    from contract.settings import ctr_home
    from ctr_platform.devstack.paths import StackPaths

    file = StackPaths(ctr_home()).stack_env
    if not file.exists():
        raise StackDown(f"the stack in {ctr_home()} is down: start it by `ctr up`")
    for name, value in dotenv_values(file).items():
        typer.echo(f"export {name}={shlex.quote(value or '')}")


def logs(
    service: Annotated[str | None, typer.Argument(help="One service; all by default.")] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines of each log.")] = 20,
) -> None:
    """Print the last lines of the services' logs."""
    from contract.settings import ctr_home
    from ctr_platform.devstack.logs import following, last_lines, log_files
    from ctr_platform.devstack.paths import StackPaths

    files = log_files(StackPaths(ctr_home()), service)
    try:
        with following(files) as coming:
            past = [(file.stem, line) for file in files for line in last_lines(file, lines)]
            for name, line in itertools.chain(past, coming if follow else ()):
                typer.echo(line if service else f"{name:18} {line}")
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def doctor() -> None:
    """Check this machine and name what is missing. Exit status 1 when something is."""
    from rich.console import Console
    from rich.table import Table

    from contract.settings import ctr_home
    from ctr_platform.devstack.doctor import check_liveness

    findings = check_liveness(ctr_home())
    table = Table("", "", "", box=None, pad_edge=False, show_header=False)
    for finding in findings:
        mark = "[green]good[/green]" if finding.good else "[red]missing[/red]"
        table.add_row(finding.subject, mark, finding.text)
    Console().print(table)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


def _duration(seconds: float) -> str:
    """`1:02:03`, or `2:03` below an hour."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
