"""What an alert is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that is wrong now."""

    key: str
    """Names it for as long as it lasts: two alerts of one key are one."""

    title: str
    """One line for a person."""

    detail: str = ""
    """One line more; the newest one counts."""

    url: str = ""
    """Page that shows it."""
