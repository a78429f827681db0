"""What a page shows of one window type, put together from both stores; knows nothing of Streamlit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from warehouse.errors import CacheUnavailable, WarehouseUnavailable
from warehouse.models import SUPERVISOR
from warehouse.windows import WindowDetail, WindowDocument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warehouse.cache import Cache
    from warehouse.reads import Beat, Warehouse
    from warehouse.windows import Window, WindowType

WINDOWS_SHOWN: Final = 30
"""Windows of a table and a chart: half an hour of 1 min windows, as many as a reader can tell apart."""


@dataclass(frozen=True, kw_only=True)
class ShownWindow:
    """A window and whether it is closed."""

    window: Window
    final: bool


@dataclass(frozen=True, kw_only=True)
class Board:
    """One window type at one moment."""

    window_type: WindowType
    windows: tuple[ShownWindow, ...] = ()
    """The newest first, at most `WINDOWS_SHOWN`."""
    open_window: WindowDocument | None = None
    """The newest that is still growing."""
    final_window: WindowDetail | None = None
    """The newest that is closed."""
    written_ms: int | None = None
    """When the newest live document was written, ms since the epoch."""
    supervisor: Beat | None = None
    """When somebody last looked after the job; None: nobody has, or Postgres is away."""
    cache_error: str | None = None
    warehouse_error: str | None = None


def load(window_type: WindowType, cache: Cache, warehouse: Warehouse) -> Board:
    """Read both stores; one that is away is named in the board, and the other's figures are shown."""
    board = Board(window_type=window_type)
    documents: list[WindowDocument] = []
    history: list[Window] = []
    try:
        documents = cache.current(window_type, WINDOWS_SHOWN)
    except CacheUnavailable as error:
        board = replace(board, cache_error=str(error))
    try:
        history = warehouse.latest_windows(window_type, WINDOWS_SHOWN)
        board = replace(board, supervisor=warehouse.heartbeats().get(SUPERVISOR))
    except WarehouseUnavailable as error:
        board = replace(board, warehouse_error=str(error))
    windows = merge(documents, history)
    board = replace(
        board,
        windows=windows,
        open_window=_newest_open(windows),
        written_ms=max((document.written_ms for document in documents), default=None),
    )
    newest = next((shown.window for shown in windows if shown.final), None)
    if newest is None or isinstance(newest, WindowDetail):
        return replace(board, final_window=newest)
    try:
        return replace(board, final_window=warehouse.window(window_type, newest.start))
    except WarehouseUnavailable as error:
        return replace(board, warehouse_error=str(error))


def merge(documents: Sequence[WindowDocument], history: Sequence[Window]) -> tuple[ShownWindow, ...]:
    """One entry per window, the newest first, at most `WINDOWS_SHOWN`.

    Of a window that both stores hold the final document is shown: it is written at once, where rows
    arrive in portions. An open document gives way to rows, which only a closed window has.
    """
    chosen = {
        document.window_start_ms: ShownWindow(window=document, final=False)
        for document in documents
        if not document.final
    }
    chosen |= {window.window_start_ms: ShownWindow(window=window, final=True) for window in history}
    chosen |= {
        document.window_start_ms: ShownWindow(window=document, final=True)
        for document in documents
        if document.final
    }
    return tuple(chosen[start] for start in sorted(chosen, reverse=True)[:WINDOWS_SHOWN])


def _newest_open(windows: Sequence[ShownWindow]) -> WindowDocument | None:
    return next(
        (each.window for each in windows if isinstance(each.window, WindowDocument) and not each.final), None
    )
