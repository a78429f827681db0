"""What `ctr produce` and `ctr replay` do: traffic into the raw topic, shown while it goes on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from contract.settings import load_settings
from ctr_platform.cli.delivery_view import DeliveryView, delivery_lines, print_replay
from ctr_platform.loadgen.produce import produce
from ctr_platform.loadgen.replay import replay
from ctr_platform.loadgen.schedule import clock_text
from ctr_platform.loadgen.stop import stop_on_signals

if TYPE_CHECKING:
    from ctr_platform.loadgen.plan import Plan, TrafficRequest
    from ctr_platform.loadgen.produce import ProduceReport
    from ctr_platform.loadgen.replay import ReplayPlan, ReplayRequest


def run_produce(request: TrafficRequest, *, as_json: bool) -> bool:
    """Send synthetic events and print the summary; returns whether all of them were delivered."""
    view = DeliveryView()
    settings = load_settings()
    stream = settings.declared_stream()

    def on_start(plan: Plan) -> None:
        if plan.window_figures is not None:
            announcement = _announcement(plan, *plan.window_figures)
            Console(stderr=True).print(announcement, highlight=False, markup=False)
        view.start(plan.count)

    with stop_on_signals() as stop, view:
        report = produce(settings, stream, request, stop=stop, on_start=on_start, on_progress=view.update)
    typer.echo(json.dumps(asdict(report)) if as_json else _summary(report))
    return report.delivery.complete


def run_replay(request: ReplayRequest, *, as_json: bool) -> bool:
    """Send the rows of a click log and print the summary; returns whether all of them were delivered."""
    view = DeliveryView()
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    settings = load_settings()

    def on_start(plan: ReplayPlan) -> None:
        errors.print(
            f"{plan.rows:,} rows of {len(plan.spans)} hours: "
            f"{clock_text(plan.start_ms)} to {clock_text(plan.end_ms)}"
        )
        view.start(plan.rows)

    with stop_on_signals() as stop, view:
        report = replay(
            settings,
            settings.declared_stream(),
            request,
            stop=stop,
            on_bad=lambda line, reason: errors.print(f"{request.path}:{line}: {reason}"),
            on_start=on_start,
            on_progress=view.update,
        )
    if as_json:
        typer.echo(json.dumps({**asdict(report), "rows": report.rows, "clicks": report.clicks}))
    else:
        print_replay(report)
    return report.delivery.complete


def _announcement(plan: Plan, impressions: int, clicks: int) -> str:
    """The figures that every window of deterministic traffic must show."""
    windows = "every 1 min window" if plan.windows is None else f"each of {plan.windows:,} 1 min windows"
    first = "" if plan.event_time is None else f" from {clock_text(plan.event_time.start_ms)} on"
    number = len(plan.segments)
    return (
        f"Deterministic: {windows}{first} has {number * impressions:,} impressions and "
        f"{number * clicks:,} clicks (CTR {100 * clicks / impressions:.2f} %), of these {impressions:,} and "
        f"{clicks:,} in each of the segments {', '.join(plan.segments)}."
    )


def _summary(report: ProduceReport) -> str:
    delivered = report.delivery.delivered
    speed = delivered / report.seconds if report.seconds else 0
    return "\n".join(
        [
            *delivery_lines(report.delivery),
            f"in {report.seconds:.1f} s: {speed:,.0f} events/s; ids begin with {report.run}",
            "meant to be " + ", ".join(f"{outcome}: {count:,}" for outcome, count in report.intended.items()),
        ]
    )
