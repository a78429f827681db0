"""What a drill of faults has shown, and its section of `docs/drill-report.md`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ctr_platform.defs.deployments.verification import verify_deployment
from tests.drills.page import write_section

if TYPE_CHECKING:
    from pathlib import Path

    from contract.settings import Settings

VERIFIED_WITHIN_S: Final = 240
SETTING: Final = "the whole platform on one machine of two cores, 500 events/s, checkpoints every 10 s."
LEGEND: Final = (
    "Windows: those that the recount has verified, of all that were open at or after the fault. Lost and "
    "doubled: impressions that they lacked, or had too many. A service that was killed is *noticed* by its "
    "supervisor process; of a full disk, *runs again* is the time from when there was room to a complete "
    "checkpoint."
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the report."""

    fault: str
    detected_s: float | None
    running_s: float | None
    restored_from: str
    windows: int
    lost: int
    doubled: int

    def line(self) -> str:
        detected, running = (
            "-" if value is None else f"{value:.1f}" for value in (self.detected_s, self.running_s)
        )
        return (
            f"| {self.fault} | {detected} | {running} | {self.restored_from} | {self.windows} "
            f"| {self.lost} | {self.doubled} |"
        )


@dataclass
class Report:
    """What the drill has shown so far; each line is printed as it is made."""

    rows: list[Row] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def message(self, text: str) -> None:
        """Add a sentence to those below the table."""
        self.messages.append(text)
        print(f"- {text}", flush=True)

    def verify_deployment(
        self,
        settings: Settings,
        fault: str,
        since: datetime,
        *,
        detected_s: float | None,
        running_s: float | None,
        restored_from: str,
    ) -> None:
        """Add a fault's row, and assert that every window since is exact."""
        until = datetime.now(tz=UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        verification = verify_deployment(settings, since, within_s=VERIFIED_WITHIN_S, until=until)
        row = Row(
            fault=fault,
            detected_s=detected_s,
            running_s=running_s,
            restored_from=restored_from,
            windows=verification.windows,
            lost=verification.lost,
            doubled=verification.doubled,
        )
        self.rows.append(row)
        print(row.line(), flush=True)
        assert verification.problem is None
        assert verification.windows > 0
        assert (verification.lost, verification.doubled) == (0, 0)

    def write(self, file: Path, failed: int) -> None:
        """Write its section of the page."""
        if failed:
            self.message(f"{failed} of the drills failed: this section is not whole.")
        lines = [
            f"By `make drill`: {SETTING}",
            "",
            "| Fault | noticed after, s | runs again after, s | restored from | windows | lost | doubled |",
            "|---|--:|--:|---|--:|--:|--:|",
            *(row.line() for row in self.rows),
            "",
            LEGEND,
            "",
            *(f"- {message}" for message in self.messages),
        ]
        write_section(file, "Faults", lines)
