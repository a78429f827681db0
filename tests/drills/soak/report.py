"""The record of a soak: a line of JSON for each fault as it goes, and a page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.drills.soak.verdict import Verdict

FAILING_SEEDS: Final = "failing-seeds.txt"
HEAD: Final = """\
| Fault | healthy after, s | current after, s | windows | lost | doubled | healed by | alerts |
|---|--:|--:|--:|--:|--:|---|--:|"""


@dataclass
class Record:
    """What a soak has shown so far."""

    folder: Path
    seed: int
    setting: str
    """What ran, in a sentence, and what was left out for want of what it takes."""
    verdicts: list[Verdict] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Write a line, and the page anew."""
        self.verdicts.append(verdict)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._file("jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(verdict.record(), ensure_ascii=False) + "\n")
        self._file("md").write_text("\n".join(self.page()) + "\n", encoding="utf-8")
        if not verdict.passed:
            self._keep_seed()

    @property
    def passed(self) -> bool:
        """Whether there was a fault, and none has left anything wrong."""
        return bool(self.verdicts) and all(each.passed for each in self.verdicts)

    def page(self) -> list[str]:
        """Lines of markdown."""
        kept = sum(each.passed for each in self.verdicts)
        return [
            f"# Soak with seed {self.seed}",
            "",
            f"Of {datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC. {self.setting}",
            "",
            f"{kept} of {len(self.verdicts)} faults left every window exact and the platform healthy.",
            "",
            HEAD,
            *map(line, self.verdicts),
            "",
            *_details(self.verdicts),
        ]

    def _file(self, ending: str) -> Path:
        return self.folder / f"soak-{self.seed}.{ending}"

    def _keep_seed(self) -> None:
        file = self.folder / FAILING_SEEDS
        known = file.read_text(encoding="ascii").split() if file.exists() else []
        if str(self.seed) not in known:
            file.write_text("\n".join([*known, str(self.seed)]) + "\n", encoding="ascii")


def line(verdict: Verdict) -> str:
    """A row of the table."""
    healthy, current = (
        "-" if value is None else f"{value:.0f}" for value in (verdict.healthy_s, verdict.current_s)
    )
    return (
        f"| {'' if verdict.passed else '**failed:** '}{verdict.fault} | {healthy} | {current} "
        f"| {verdict.windows} | {verdict.lost} | {verdict.doubled} | {verdict.healed_by} "
        f"| {len(verdict.alerts)} |"
    )


def _details(verdicts: Sequence[Verdict]) -> list[str]:
    """Problems and alerts, by fault."""
    lines = []
    for verdict in verdicts:
        notes = [*([f"problem: {verdict.problem}"] if verdict.problem else []), *verdict.alerts]
        lines += [f"- {verdict.began}, {verdict.fault}: {note}" for note in notes]
    return lines
