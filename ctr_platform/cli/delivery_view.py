"""How the delivery of events looks while it goes on and when it is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ctr_platform.loadgen.schedule import clock_text

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ctr_platform.loadgen.producer import Delivery
    from ctr_platform.loadgen.replay import ReplayReport

_STALLED_S: Final = 2.0
"""Without a delivery for so long, with some pending, the broker is not answering."""
_SPEED_S: Final = 1.0
"""Over how long the shown speed is measured."""


class DeliveryView:
    """One live line on a terminal's standard error; nothing where that is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("connecting", total=None, figures="")
        self._moved_at = self._measured_at = time.monotonic()
        self._delivered = self._measured = 0
        self._speed = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def start(self, total: int | None) -> None:
        """Sending begins; `total` events are to come, if that is known."""
        self._progress.reset(self._task, total=total, description="sending", figures="")

    def announce(self, description: str) -> None:
        """Say what is going on."""
        self._progress.update(self._task, description=description)

    def update(self, delivery: Delivery) -> None:
        """Show these figures."""
        now = time.monotonic()
        if delivery.delivered != self._delivered or not delivery.pending:
            self._moved_at, self._delivered = now, delivery.delivered
        if now - self._measured_at >= _SPEED_S:
            self._speed = (delivery.delivered - self._measured) / (now - self._measured_at)
            self._measured_at, self._measured = now, delivery.delivered
        stalled = now - self._moved_at > _STALLED_S
        failed = f", {delivery.failed:,} failed" if delivery.failed else ""
        self._progress.update(
            self._task,
            completed=delivery.delivered,
            description="[yellow]Kafka does not answer[/yellow]" if stalled else "sending",
            figures=f"{self._speed:,.0f} events/s, {delivery.queued:,} sent, "
            f"{delivery.delivered:,} delivered{failed}",
        )


def delivery_lines(delivery: Delivery) -> list[str]:
    """What became of the events, in words."""
    lines = [f"sent {delivery.queued:,}, delivered {delivery.delivered:,}, failed {delivery.failed:,}"]
    if delivery.error is not None:
        lines.append(f"the first failure: {delivery.error}")
    if delivery.pending:
        lines.append(f"{delivery.pending:,} given up while Kafka did not answer")
    return lines


def print_replay(report: ReplayReport) -> None:
    """What was replayed, hour by hour, on standard output."""
    table = Table(
        "hour of the log", "rows", "clicks", "first event (UTC)", "last event (UTC)", show_footer=True
    )
    for column in table.columns[1:]:
        column.justify = "right"
    table.columns[0].footer, table.columns[1].footer, table.columns[2].footer = (
        "sum",
        f"{report.rows:,}",
        f"{report.clicks:,}",
    )
    for hour in report.hours:
        moments = [
            "" if each is None else clock_text(each).removesuffix(" UTC")
            for each in (hour.first_event_ms, hour.last_event_ms)
        ]
        table.add_row(str(hour.hour), f"{hour.rows:,}", f"{hour.clicks:,}", *moments)
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    for line in delivery_lines(report.delivery):
        console.print(line)
    console.print(f"in {report.seconds:.1f} s; bad rows left out: {report.bad_rows:,}")
    if report.foreign:
        console.print(
            f"[yellow]{report.foreign:,} records of other traffic came in meanwhile: "
            "some of the replayed events may be late.[/yellow]"
        )
