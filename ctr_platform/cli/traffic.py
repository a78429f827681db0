"""`ctr produce` and `ctr replay`: traffic into the raw topic."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import Annotated, Final

import typer
from rich.console import Console

from ctr_platform.cli.delivery_view import DeliveryView, delivery_lines, print_replay
from ctr_platform.cli.units import duration_ms, moment_ms, rate_per_second
from ctr_platform.settings import load_settings
from ctr_platform.traffic.fates import FateShares
from ctr_platform.traffic.generator import KnownChoice
from ctr_platform.traffic.plan import Plan, TrafficRequest
from ctr_platform.traffic.produce import ProduceReport
from ctr_platform.traffic.produce import produce as run_produce
from ctr_platform.traffic.replay import ReplayPlan, ReplayRequest
from ctr_platform.traffic.replay import replay as run_replay
from ctr_platform.traffic.schedule import MINUTE_MS, clock_text
from ctr_platform.traffic.stop import stop_on_signals

_SHARE_HELP: Final = "Share of all events, 0 to 1 in steps of 0.0001."


def produce(  # noqa: PLR0913 - the command's options
    *,
    rate: Annotated[
        float | None,
        typer.Option(
            parser=rate_per_second,
            metavar="N|max",
            help="Events/s, or max. [default: 1000; with --span max; with --deterministic 100, "
            "which counts only the events that are neither late nor dead]",
        ),
    ] = None,
    count: Annotated[int | None, typer.Option(help="End after so many events.")] = None,
    duration: Annotated[
        int | None, typer.Option(parser=duration_ms, metavar="TIME", help="End after this time, such as 90s.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Draw the same events again; ids differ from run to run all the same.")
    ] = None,
    disorder: Annotated[
        int | None,
        typer.Option(
            parser=duration_ms, metavar="TIME", help="Each event happened up to this long ago: 10s at most."
        ),
    ] = None,
    late_share: Annotated[float, typer.Option(help=f"Late events. {_SHARE_HELP}")] = 0.0,
    malformed_share: Annotated[
        float, typer.Option(help=f"Truncated events, bytes left over, random bytes. {_SHARE_HELP}")
    ] = 0.0,
    invalid_share: Annotated[
        float, typer.Option(help=f"click = 7, timestamp 0, a year ahead. {_SHARE_HELP}")
    ] = 0.0,
    unknown_schema_share: Annotated[
        float, typer.Option(help=f"A schema id that no registry gave. {_SHARE_HELP}")
    ] = 0.0,
    span: Annotated[
        int | None,
        typer.Option(
            parser=duration_ms,
            metavar="TIME",
            help="Spread --count events evenly over so much event time, which ends now.",
        ),
    ] = None,
    start: Annotated[
        int | None,
        typer.Option(parser=moment_ms, metavar="MOMENT", help="With --span: where it begins instead."),
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic", help="Every 1 min window gets the same, announced figures in six segments."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Send synthetic ad events, distributed as in Avazu's click log, until done or Ctrl-C.

    Events go to the partitions in turn, without a key. Ctrl-C or SIGTERM
    ends it once everything sent is delivered; a second one gives that up.
    Exit status: 0 when everything sent was delivered, also after Ctrl-C;
    1 when something was not; 2 for options that cannot be kept.
    """
    request = TrafficRequest(
        rate=rate,
        count=count,
        duration_ms=duration,
        seed=seed,
        disorder_ms=disorder or 0,
        shares=FateShares(
            late=late_share,
            malformed=malformed_share,
            invalid=invalid_share,
            unknown_schema=unknown_schema_share,
        ),
        start_ms=start,
        span_ms=span,
        deterministic=deterministic,
    )
    view = DeliveryView()

    def on_start(plan: Plan) -> None:
        if plan.window_figures is not None:
            Console(stderr=True).print(_announcement(plan, *plan.window_figures), highlight=False)
        view.start(plan.count)

    with stop_on_signals() as stop, view:
        report = run_produce(load_settings(), request, stop=stop, on_start=on_start, on_progress=view.update)
    typer.echo(json.dumps(asdict(report)) if as_json else _summary(report))
    raise typer.Exit(0 if report.delivery.complete else 1)


def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv[.gz]", help="An Avazu click log with its header.")
    ],
    *,
    hour_as: Annotated[
        int | None,
        typer.Option(
            parser=duration_ms,
            metavar="TIME",
            help="Event time that an hour of the log is spread over: 60m at most. [default: 1m]",
        ),
    ] = None,
    past: Annotated[
        bool,
        typer.Option(
            "--past", help="Over the event time that ends now, as fast as it goes, instead of from now on."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Send the rows of an Avazu click log, each of its hours over a span of event time.

    Spans of whole minutes begin on a minute, so that the windows of one hour
    hold nothing of the next. A bad row is reported on standard error and left
    out. Ctrl-C or SIGTERM ends it once everything sent is delivered. Exit
    status: 0 when everything sent was delivered, also after Ctrl-C; 1 when
    something was not; 2 for a file or options that cannot be used.
    """
    view = DeliveryView()
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

    def on_start(plan: ReplayPlan) -> None:
        errors.print(
            f"{plan.rows:,} rows of {len(plan.spans)} hours: "
            f"{clock_text(plan.start_ms)} to {clock_text(plan.end_ms)}"
        )
        view.start(plan.rows)

    with stop_on_signals() as stop, view:
        report = run_replay(
            load_settings(),
            ReplayRequest(path=file, hour_as_ms=MINUTE_MS if hour_as is None else hour_as, past=past),
            stop=stop,
            on_bad=lambda line, reason: errors.print(f"{file}:{line}: {reason}"),
            on_start=on_start,
            on_progress=view.update,
        )
    if as_json:
        typer.echo(json.dumps({**asdict(report), "rows": report.rows, "clicks": report.clicks}))
    else:
        print_replay(report)
    raise typer.Exit(0 if report.delivery.complete else 1)


def _announcement(plan: Plan, impressions: int, clicks: int) -> str:
    """The figures that every window of deterministic traffic must show."""
    segments = ", ".join(f"{each.site_category}/{each.device_type}" for each in KnownChoice.SEGMENTS)
    windows = "every 1 min window" if plan.windows is None else f"each of {plan.windows:,} 1 min windows"
    first = "" if plan.event_time is None else f" from {clock_text(plan.event_time.start_ms)} on"
    number = len(KnownChoice.SEGMENTS)
    return (
        f"Deterministic: {windows}{first} has {number * impressions:,} impressions and "
        f"{number * clicks:,} clicks (CTR {100 * clicks / impressions:.2f} %), of these {impressions:,} and "
        f"{clicks:,} in each of the segments {segments}."
    )


def _summary(report: ProduceReport) -> str:
    delivered = report.delivery.delivered
    speed = delivered / report.seconds if report.seconds else 0
    return "\n".join(
        [
            *delivery_lines(report.delivery),
            f"in {report.seconds:.1f} s: {speed:,.0f} events/s; ids begin with {report.run}",
            "meant to be " + ", ".join(f"{fate}: {count:,}" for fate, count in report.intended.items()),
        ]
    )
