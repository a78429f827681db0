"""Commands for the embedded stack: up, down, status, env, logs, doctor, fetch."""

from __future__ import annotations

import itertools
import json
import shlex
import signal
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer
from dotenv import dotenv_values
from rich.console import Console
from rich.filesize import decimal
from rich.table import Column, Table

from ctr_platform.artifacts.fetch import fetch as fetch_artifacts
from ctr_platform.artifacts.flink import flink_environment
from ctr_platform.artifacts.java import build_front
from ctr_platform.cli.start_view import StartView
from ctr_platform.errors import CtrError
from ctr_platform.settings import ctr_home
from ctr_platform.stack.catalog import ARTIFACTS, PLATFORM_ARTIFACTS
from ctr_platform.stack.doctor import examine
from ctr_platform.stack.layout import Layout
from ctr_platform.stack.lifecycle import start, stop
from ctr_platform.stack.logs import following, last_lines, log_files
from ctr_platform.stack.status import stack_status
from ctr_platform.stack.supervise import Supervisor

if TYPE_CHECKING:
    from types import FrameType

WATCH_S: Final = 1
"""Between two looks of a waiting `ctr up` at the services."""
INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells have it."""
PAGES: Final = {
    "dagster-webserver": "Dagster",
    "jobmanager": "Flink",
    "dashboard": "Dashboard",
    "reports": "Reports",
}
"""Services that a browser opens, and their titles."""

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
    console = Console()
    home = ctr_home()
    names = [name.strip() for name in only.split(",")] if only else None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    ready = False
    try:
        with StartView(console) as view:
            services = start(home, names=names, free_ports=free_ports, report=view)
        ready = True
        _print_addresses(console, {service.name: service.address for service in services})
        if detach:
            console.print("[dim]`ctr status` shows how it is, `ctr down` stops it[/dim]")
            return
        console.print("[dim]Ctrl-C stops it[/dim]")
        _watch(console, Layout(home))
    except KeyboardInterrupt:
        with console.status("stopping"):
            stop(home)
        if not ready:
            console.print("stopped before everything was ready")
            raise typer.Exit(INTERRUPTED) from None
    console.print("stopped")


def fetch(
    *,
    services: Annotated[
        bool, typer.Option(help="Those of the embedded Kafka and registry, too; `ctr up` needs them.")
    ] = True,
) -> None:
    """Fetch the Java artifacts and build the job's front; `ctr up` fetches what is missing too."""
    with StartView(Console()) as view:
        fetch_artifacts(ARTIFACTS if services else PLATFORM_ARTIFACTS, on_transfer=view.transfer)
        build_front()
        flink_environment()


def down() -> None:
    """Stop the stack; its data stays."""
    console = Console()
    with console.status("stopping"):
        ran = stop(ctr_home())
    console.print("stopped" if ran else "nothing was running")


def status(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs; sizes in bytes.")] = False
) -> None:
    """Show every service, Flink job and watcher's heartbeat. Exit status 3 when the stack is down."""
    rows = stack_status(Layout(ctr_home()))
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
    file = Layout(ctr_home()).stack_env
    if not file.exists():
        raise CtrError(f"the stack in {ctr_home()} is down: start it by `ctr up`", exit_status=3)
    for name, value in dotenv_values(file).items():
        typer.echo(f"export {name}={shlex.quote(value or '')}")


def logs(
    service: Annotated[str | None, typer.Argument(help="One service; all by default.")] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines of each log.")] = 20,
) -> None:
    """Print the last lines of the services' logs."""
    files = log_files(Layout(ctr_home()), service)
    try:
        with following(files) as coming:
            past = [(file.stem, line) for file in files for line in last_lines(file, lines)]
            for name, line in itertools.chain(past, coming if follow else ()):
                typer.echo(line if service else f"{name:18} {line}")
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def doctor() -> None:
    """Check this machine and name what is missing. Exit status 1 when something is."""
    findings = examine(ctr_home())
    table = Table("", "", "", box=None, pad_edge=False, show_header=False)
    for finding in findings:
        mark = "[green]good[/green]" if finding.good else "[red]missing[/red]"
        table.add_row(finding.subject, mark, finding.text)
    Console().print(table)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """Turn the first signal into an orderly stop, and let no second one disturb it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _watch(console: Console, layout: Layout) -> None:
    """Wait until the stack is stopped by someone; tell of services that were started again."""
    supervisor = Supervisor(layout)
    before = supervisor.states()
    while states := supervisor.states():
        for name, state in states.items():
            if state.pid and before.get(name, state).pid not in (0, state.pid):
                console.print(f"[yellow]{name} ended and was started again[/yellow]; log: {layout.log(name)}")
        before = {name: state if state.pid else before.get(name, state) for name, state in states.items()}
        time.sleep(WATCH_S)
    stop(layout.home)


def _print_addresses(console: Console, addresses: dict[str, str]) -> None:
    for name, title in PAGES.items():
        if name in addresses:
            console.print(f"         [bold]{title:10}[/bold] {addresses[name]}", highlight=False)


def _duration(seconds: float) -> str:
    """`1:02:03`, or `2:03` below an hour."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
