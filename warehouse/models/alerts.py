"""Alerts, and which of them are muted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Identity,
    Index,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.models.base import QUALITY, Base


class AlertRow(Base):
    """An alert from its beginning to its end, and when people were notified of it."""

    __tablename__ = "alerts"
    __table_args__ = (
        # Of a key at most one is open.
        Index("alerts_open_key", "source", "key", unique=True, postgresql_where=text("recovered_at IS NULL")),
        {"schema": QUALITY},
    )

    alert_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Number of the alert."""
    source: Mapped[str]
    """Who noticed it."""
    key: Mapped[str]
    """Names what is wrong for as long as it lasts: of one source and key at most one alert is open."""
    title: Mapped[str]
    """One line for a person."""
    detail: Mapped[str]
    """One line more; the newest one counts."""
    url: Mapped[str]
    """Page that shows it."""
    mend_url: Mapped[str] = mapped_column(server_default="")
    """Page by which a person mends it; empty: the runbook says how."""
    runbook: Mapped[str] = mapped_column(server_default="")
    """Its section of the runbook: an anchor."""
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it began."""
    told_at: Mapped[datetime | None]
    """When people were last notified of it; None: not yet."""
    recovered_at: Mapped[datetime | None]
    """When it was over; NULL: it is open."""
    recovery_told_at: Mapped[datetime | None]
    """When the recovery was notified; NULL: not yet."""
    claimed_by: Mapped[str | None]
    """Who is notifying people of it at the moment, or was when its process ended."""
    claimed_until: Mapped[datetime | None]
    """End of that one's lease: from then on another one may."""
    acknowledged_at: Mapped[datetime | None]
    """When a person took it in hand: it is not repeated; NULL: nobody has."""
    acknowledged_by: Mapped[str | None]
    """Who that is."""
    acknowledged_why: Mapped[str | None]
    """What they say of it."""


class AlertMute(Base):
    """Alerts of which nobody is notified for a while."""

    __tablename__ = "alert_mutes"
    __table_args__ = ({"schema": QUALITY},)

    mute_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Number of the mute."""
    pattern: Mapped[str]
    """Keys of the alerts; `*` stands for any text."""
    matches: Mapped[str]
    """The same as a pattern of LIKE."""
    muted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it began."""
    muted_until: Mapped[datetime]
    """When it ends; of one that was ended early: when that was."""
    muted_by: Mapped[str]
    """Who muted them."""
    why: Mapped[str]
    """The reason."""
