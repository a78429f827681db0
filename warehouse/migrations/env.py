"""Alembic's entry: runs on the connection, and so in the transaction, that `warehouse.migrate` holds."""

from __future__ import annotations

from typing import Any

from alembic import context

from warehouse.models import QUALITY, REALTIME, Base


def _ours(name: str | None, kind: str, parents: Any) -> bool:
    """Whether a difference found there is ours: the schemas of the warehouse, and nobody else's."""
    del parents
    return kind != "schema" or name in {REALTIME, QUALITY}


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_schemas=True,
    include_name=_ours,
    compare_server_default=True,
)
context.run_migrations()
