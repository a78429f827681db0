"""`ctr watch`: the watchdog as a process."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `ctr --help` is quick

from __future__ import annotations

import logging
from typing import Annotated

import typer


def watch(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether one looks; exit status 1: none.")
    ] = False,
) -> None:
    """Tell people when nobody looks after the Flink job: runs until it is ended, outside Dagster."""
    from contract.settings import load_settings
    from ctr_platform.defs.alerts.watchdog import Watchdog, last_look
    from ctr_platform.settings_in_use import settings_in_use

    if check:
        typer.echo(last_look(load_settings()))
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log the webhook's address
    Watchdog(settings_in_use()).run()
