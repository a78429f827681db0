"""`ctr up`: the stack from its start until it is stopped."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Final, NoReturn

import typer
from rich.console import Console

from contract.settings import ctr_home
from ctr_platform.cli.stack import INTERRUPTED
from ctr_platform.cli.start_view import StartView
from ctr_platform.devstack.lifecycle import start, stop
from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

WATCH_S: Final = 1
"""Between two looks of a waiting `ctr up` at the services."""
PAGES: Final = {
    "dagster-webserver": "Dagster",
    "jobmanager": "Flink",
    "dashboard": "Dashboard",
    "reports": "Reports",
}
"""Services that a browser opens, and their titles."""


def run_stack(names: Sequence[str] | None, *, detach: bool, free_ports: bool) -> None:
    """Start these services, or all; then, unless detached, watch them until they are stopped."""
    console = Console()
    home = ctr_home()
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
        _watch(console, StackPaths(home))
    except KeyboardInterrupt:
        with console.status("stopping"):
            stop(home)
        if not ready:
            console.print("stopped before everything was ready")
            raise typer.Exit(INTERRUPTED) from None
    console.print("stopped")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """Turn the first signal into an orderly stop, and let no second one disturb it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _watch(console: Console, paths: StackPaths) -> None:
    """Wait until the stack is stopped by someone; tell of services that were started again."""
    supervisor = Supervisor(paths)
    before = supervisor.states()
    while states := supervisor.states():
        for name, state in states.items():
            if state.pid and before.get(name, state).pid not in (0, state.pid):
                console.print(f"[yellow]{name} ended and was started again[/yellow]; log: {paths.log(name)}")
        before = {name: state if state.pid else before.get(name, state) for name, state in states.items()}
        time.sleep(WATCH_S)
    stop(paths.home)


def _print_addresses(console: Console, addresses: dict[str, str]) -> None:
    for name, title in PAGES.items():
        if name in addresses:
            console.print(f"         [bold]{title:10}[/bold] {addresses[name]}", highlight=False)
