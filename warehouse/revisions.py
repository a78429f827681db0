"""Revisions of closed windows: a changed one has a higher revision, and its document is published again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal
from sqlalchemy.dialects.postgresql import insert

from warehouse.models.corrections import WindowRevision

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.dialects.postgresql import Insert


def revise(windows: Select[Any]) -> Insert:
    """Return the statement that raises the revision of each window.

    Args:
        windows: their types and starts, each once.
    """
    added = insert(WindowRevision).from_select(
        ["window_type", "window_start", "revision", "published_revision"],
        windows.add_columns(literal(1), literal(0)),
    )
    # Changed again before anybody has published it: still one more than readers have been sent.
    return added.on_conflict_do_update(
        index_elements=[WindowRevision.window_type, WindowRevision.window_start],
        set_={"revision": WindowRevision.published_revision + 1, "revised_at": func.now()},
    )
