"""`ctr produce` and `ctr replay`: traffic into the raw topic."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `ctr --help` is quick

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import Annotated, Final

import typer

from ctr_platform.cli.units import duration_ms, moment_ms, rate_per_second

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
        float, typer.Option(help=f"A click that is none, a time of 1970, or a year ahead. {_SHARE_HELP}")
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
            "--deterministic",
            help="Every 1 min window gets the same, announced figures in the largest segments, six at most.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Send synthetic ad events of the declared stream until done or Ctrl-C.

    `[traffic]` in `stream.toml` says what they look like; without it they
    are made up from the schema.

    Events go to the partitions in turn, without a key. Ctrl-C or SIGTERM
    ends it once everything sent is delivered; a second one gives that up.
    Exit status: 0 when everything sent was delivered, also after Ctrl-C;
    1 when something was not; 2 for options that cannot be kept.
    """
    from ctr_platform.cli.run_traffic import run_produce
    from ctr_platform.loadgen.outcomes import OutcomeShares
    from ctr_platform.loadgen.plan import TrafficRequest

    request = TrafficRequest(
        rate=rate,
        count=count,
        duration_ms=duration,
        seed=seed,
        disorder_ms=disorder or 0,
        shares=OutcomeShares(
            late=late_share,
            malformed=malformed_share,
            invalid=invalid_share,
            unknown_schema=unknown_schema_share,
        ),
        start_ms=start,
        span_ms=span,
        deterministic=deterministic,
    )
    raise typer.Exit(0 if run_produce(request, as_json=as_json) else 1)


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv[.gz]", help="A click log with its header.")],
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
    """Send the rows of a click log, each of its hours over a span of event time.

    `[replay]` in `stream.toml` says which column is what; without it they
    have the names of the schema's fields. Rows of a log that has hours only
    are spread evenly, else each keeps its place within its hour.
    Spans of whole minutes begin on a minute, so that the windows of one hour
    hold nothing of the next. A bad row is reported on standard error and left
    out. Ctrl-C or SIGTERM ends it once everything sent is delivered. Exit
    status: 0 when everything sent was delivered, also after Ctrl-C; 1 when
    something was not; 2 for a file or options that cannot be used.
    """
    from ctr_platform.cli.run_traffic import run_replay
    from ctr_platform.loadgen.replay import ReplayRequest
    from ctr_platform.loadgen.schedule import MINUTE_MS

    request = ReplayRequest(path=file, hour_as_ms=MINUTE_MS if hour_as is None else hour_as, past=past)
    raise typer.Exit(0 if run_replay(request, as_json=as_json) else 1)
