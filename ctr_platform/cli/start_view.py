"""What a person sees while the stack starts: what, how far, how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Self

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from rich.console import Console

    from ctr_platform.artifacts.fetch import Transfer
    from ctr_platform.devstack.service import Service

LINE_EVERY_S: Final = 5
"""Where the output is no terminal, a line of progress this often."""


class StartView:
    """Shows a start on a console: bars and a spinner on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._last_line = self._began
        self._spinner = console.status("")
        self._progress = Progress(
            TextColumn("fetching {task.fields[name]}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_bar()
        self._spinner.stop()

    def transfer(self, transfer: Transfer) -> None:
        """Show a download's progress."""
        if self._console.is_terminal:
            if self._task is None:
                self._progress.start()
                self._task = self._progress.add_task("", total=transfer.bytes_total, name="")
            self._progress.update(self._task, completed=transfer.bytes_done, name=transfer.name)
        if transfer.files_done == transfer.files:
            self._stop_bar()
            self.note(f"fetched {transfer.files} Java artifacts, {transfer.bytes_total >> 20} MiB")
        elif self._line_is_due():
            done, total = transfer.bytes_done >> 20, transfer.bytes_total >> 20
            self.note(f"fetching: {done} of {total} MiB, {transfer.files_done} of {transfer.files} files")

    def note(self, text: str) -> None:
        """Print a line with the time since the beginning."""
        self._console.print(f"[dim]{self._elapsed():5.1f} s[/dim]  {text}", highlight=False, soft_wrap=True)

    def starting(self, names: Sequence[str]) -> None:
        """Show what is waited for."""
        text = f"starting {', '.join(names)} ({self._elapsed():.0f} s)"
        if not names:
            self._spinner.stop()
        elif self._console.is_terminal:
            self._spinner.update(text)
            self._spinner.start()
        elif self._line_is_due():
            self.note(text)

    def ready(self, service: Service, seconds: float) -> None:
        """Print that a service answers."""
        self.note(f"[green]ready[/green]  {service.name:18} {service.address}  [dim]{seconds:.1f} s[/dim]")

    def _stop_bar(self) -> None:
        if self._task is not None:  # else rich prints an empty line
            self._progress.stop()

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _line_is_due(self) -> bool:
        now = time.monotonic()
        due = not self._console.is_terminal and now - self._last_line > LINE_EVERY_S
        if due:
            self._last_line = now
        return due
