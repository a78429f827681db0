"""What `ctr alerts list` shows of the alert store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

from contract.settings import load_settings
from warehouse.quality_reads import QualityRecords

if TYPE_CHECKING:
    from datetime import datetime

    from warehouse.quality_reads import OpenAlert


def show_alerts(*, as_json: bool) -> None:
    """Print the open alerts and the mutes."""
    settings = load_settings()
    records = QualityRecords(settings.postgres_url)
    try:
        alerts, mutes = records.open_alerts(), records.mutes()
    finally:
        records.close()
    if as_json:
        for each in alerts:
            typer.echo(json.dumps(vars(each), default=str, ensure_ascii=False))
        return
    console = Console()
    for alert in alerts:
        console.print(
            f"[bold]{escape(alert.key)}[/bold]  since {_time(alert.opened_at)}{_state(alert)}",
            highlight=False,
            soft_wrap=True,
        )
        runbook = f"{settings.runbook_url}#{alert.runbook}" if alert.runbook else ""
        for line in (alert.title, alert.detail, alert.mend_url or alert.url, runbook):
            if line:
                console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if not alerts:
        console.print("No alert is open.")
    for mute in mutes:
        console.print(
            f"muted until {_time(mute.muted_until)}: {mute.pattern} by {mute.muted_by}: {mute.why}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _state(alert: OpenAlert) -> str:
    states = []
    if alert.acknowledged_at is not None:
        states.append(f"acknowledged by {alert.acknowledged_by}: {alert.acknowledged_why}")
    if alert.muted_until is not None:
        states.append(f"muted until {_time(alert.muted_until)}")
    return escape("".join(f", {state}" for state in states))


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
