"""What became of the records that were read, and which topics and schemas they are of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Index,
    Text,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.models.base import QUALITY, Base


class LedgerRow(Base):
    """What became of the records that one run of the job read from one partition up to a checkpoint.

    A run is a submission of the job. One that starts from an older checkpoint reads offsets again: the
    view `quality.ledger_current` leaves out the rows that this supersedes.
    """

    __tablename__ = "ledger"
    __table_args__ = (Index(None, "written_at"), {"schema": QUALITY})

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_offset: Mapped[int] = mapped_column(BigInteger)
    checkpoint_id: Mapped[int] = mapped_column(BigInteger)
    """Flink's number of the checkpoint that completed the range."""
    records_read: Mapped[int] = mapped_column(BigInteger)
    counted: Mapped[int] = mapped_column(BigInteger)
    late: Mapped[int] = mapped_column(BigInteger)
    malformed: Mapped[int] = mapped_column(BigInteger)
    unknown_schema: Mapped[int] = mapped_column(BigInteger)
    invalid: Mapped[int] = mapped_column(BigInteger)
    job_id: Mapped[str]
    """Flink's id of the job."""
    run_started_at: Mapped[datetime] = mapped_column(primary_key=True)
    """Start of the submission: it identifies the run."""
    job_watermark: Mapped[datetime | None]
    """Windows that end by it were closed then; the epoch: none was. NULL: an older release does not say."""
    written_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """With its present checkpoint; a trigger sees to it when another one takes the row's place."""


class TopicEpochRow(Base):
    """A Kafka topic that has, or had, a name: of a topic that was deleted and made anew each has a row.

    Everything that this database has by offset is the newest one's. What it has of an earlier one bears the
    topic's name with `@` and the earlier one's number.
    """

    __tablename__ = "topic_epochs"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    """Name of the topic."""
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, ...; the highest holds."""
    topic_id: Mapped[str]
    """Kafka's id of it."""
    began_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it was put on record."""
    why: Mapped[str]
    """The reason, in the words of the person who began it."""


class WriterSchema(Base):
    """A schema id of records, which keeps its meaning when the registry has forgotten it."""

    __tablename__ = "writer_schemas"
    __table_args__ = ({"schema": QUALITY},)

    schema_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The id in the record's header."""
    schema_text: Mapped[str]
    """The schema, as the registry gave it."""
    referenced: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Schemas that it refers to, each behind those that it refers to itself."""
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When a record of it was first read."""


class OffsetGap(Base):
    """Offsets that retention has deleted before a reader had read them: an error until acknowledged."""

    __tablename__ = "offset_gaps"
    __table_args__ = ({"schema": QUALITY},)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reader: Mapped[str] = mapped_column(primary_key=True)
    """`job` or `recount`."""
    first_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Where the reader was to go on."""
    end_offset: Mapped[int] = mapped_column(BigInteger)
    """Where it went on, or can; of what lies between, all that was readable is lost to it."""
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When it was found."""
    acknowledged_at: Mapped[datetime | None]
    """When a person accepted it."""
    why: Mapped[str | None]
    """The reason for that."""
