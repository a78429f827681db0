"""The declared stream, as it is counted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Identity,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.models.base import QUALITY, REALTIME, Base


class StreamRow(Base):
    """A declaration of the stream, by which it is counted; the newest row holds."""

    __tablename__ = "streams"
    __table_args__ = ({"schema": QUALITY},)

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """Counts the declarations; the highest holds."""
    declaration: Mapped[str]
    """The file `stream.toml`."""
    event_schema: Mapped[str]
    """The Avro schema of its events, JSON."""
    counted_from: Mapped[datetime | None]
    """Start of the first window that is counted by it; NULL: of all windows, or as those before."""
    applied_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """Since when it holds."""


class DimensionNameRow(Base):
    """What a value of a dimension is called.

    The rows of a dimension whose declaration has a file of names are that file's; those of others are written
    by whoever knows the names.
    """

    __tablename__ = "dimension_names"
    __table_args__ = ({"schema": REALTIME},)

    dimension: Mapped[str] = mapped_column(primary_key=True)
    """The dimension's column."""
    value: Mapped[str] = mapped_column(primary_key=True)
    """The value, as text."""
    name: Mapped[str]
    """What readers see of it; a blank one is none."""
