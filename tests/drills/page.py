"""The page of what drills have shown, `docs/drill-report.md`: each drill replaces its own section."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEAD: Final = """\
# Drill report

What `make drill` has shown, each section at its own time. [Operations](operations.md) has what people can do,
[measurements](measurements.md#soak) a soak.
"""


def replace_section(page: str, title: str, lines: Sequence[str]) -> str:
    """Return the page with this section in place of the one of the same title, or after the others."""
    text = "\n".join([f"## {title}", "", *lines]).rstrip() + "\n"
    found = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    if found is None:
        return f"{page.rstrip() or HEAD.rstrip()}\n\n{text}"
    rest = page[found.end() :]
    return page[: found.start()] + text + (f"\n{rest}" if rest else "")


def write_section(file: Path, title: str, lines: Sequence[str]) -> None:
    """Write a section of today into the page."""
    page = file.read_text(encoding="utf-8") if file.exists() else HEAD
    dated = [f"Of {datetime.now(tz=UTC):%Y-%m-%d}. {lines[0]}", *lines[1:]]
    file.write_text(replace_section(page, title, dated), encoding="utf-8")
