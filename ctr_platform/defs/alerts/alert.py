"""What an alert is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that is wrong now."""

    key: str
    """Names it for as long as it lasts: two alerts of one key are one."""

    title: str
    """One line for a person: what is wrong, and of which asset, job or service."""

    detail: str = ""
    """One line more: where and how much; the newest one counts."""

    url: str = ""
    """Page that shows it."""

    mend_url: str = ""
    """Page by which a person mends it; empty: the runbook says how."""

    runbook: str = ""
    """Its section of docs/runbook.md: the anchor."""

    since: datetime | None = None
    """When it began; None: when it was first recorded."""
