"""`ctr watch`: the watchdog as a process."""

from __future__ import annotations

import logging

from ctr_platform.settings import load_settings
from ctr_platform.watch.watchdog import Watchdog


def watch() -> None:
    """Tell people when nobody looks after the Flink job: runs until it is ended, outside Dagster."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log the webhook's address
    Watchdog(load_settings()).run()
