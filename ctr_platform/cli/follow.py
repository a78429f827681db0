"""`ctr follow`: the reconciliation's follower as a process."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `ctr --help` is quick

from __future__ import annotations

import logging
import signal
from typing import Annotated

import typer

LOG = logging.getLogger(__name__)


def follow(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether one runs; exit status 1: none.")
    ] = False,
) -> None:
    """Recount the topic and verify the windows as they close: runs until it is ended, outside Dagster."""
    from contract.settings import load_settings
    from ctr_platform.defs.reconciliation.follower import Follower, last_pass
    from ctr_platform.settings_in_use import settings_in_use

    if check:
        typer.echo(last_pass(load_settings()))
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per question to the registry
    # Wherever a pass is when it is told to end, its open transaction is rolled back and its clients close.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        Follower(settings_in_use()).run()
    except KeyboardInterrupt:
        LOG.info("ended; the next start goes on behind the last committed batch")
