"""Alembic's entry: runs on the connection, and so in the transaction, that `warehouse.migrate` holds."""

from __future__ import annotations

from typing import Any

from alembic import context

from contract.stream.load import SHIPPED, load_stream
from warehouse.models.base import QUALITY, REALTIME, Base
from warehouse.stream_tables import StreamTables


def _ours(name: str | None, kind: str, parents: Any) -> bool:
    """Whether a difference found there is ours: the schemas of the warehouse, and nobody else's."""
    del parents
    return kind != "schema" or name in {REALTIME, QUALITY}


# The migrations make the tables of the stream that ships; those of another get their shape behind them.
shipped = StreamTables.of(load_stream(SHIPPED)).all_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[Base.metadata, shipped[0].metadata],
    include_schemas=True,
    include_name=_ours,
    compare_server_default=True,
)
context.run_migrations()
