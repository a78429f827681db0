"""What a live page shows of one window type, put together from both stores."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from contract.errors import CacheUnavailable, WarehouseUnavailable
from dashboard.view_models.selection import narrowed
from warehouse.models.operation import SUPERVISOR
from warehouse.windows import WindowDetail, WindowDocument, epoch_ms, window_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from dashboard.view_models.outages import Outage, Outages
    from warehouse.cache import Cache
    from warehouse.quality_reads import QualityRecords, Verification
    from warehouse.reads import HeartbeatStatus, Warehouse
    from warehouse.windows import Segment, Selection, Window, WindowType

DOCUMENTS_READ: Final = 8
"""Redis holds a window for five of its lengths: these are all of them, and those that are open."""

CLOSES_AFTER_S: Final = 10
"""The contract's bound on disorder: a window closes when an event so much later than its end is there."""

EARLIER: Final = timedelta(hours=1)
"""A window is compared with the one at the same minute of the hour before."""


@dataclass(frozen=True, kw_only=True)
class ShownWindow:
    """A window and whether it is closed."""

    window: Window
    final: bool


@dataclass(frozen=True, kw_only=True)
class LiveData:
    """One window type at one moment, narrowed down to the chosen segments."""

    window_type: WindowType
    at_s: float
    """When the stores were read, s since the epoch."""
    windows: tuple[ShownWindow, ...] = ()
    """Those of the span, the newest first."""
    open_window: WindowDocument | None = None
    """The newest that is still growing."""
    final_window: WindowDetail | None = None
    """The newest that is closed."""
    before_final: WindowDetail | None = None
    """The one before that; None where nothing was counted in it."""
    earlier: Window | None = None
    """The one an hour before the newest closed one."""
    span_segments: tuple[Segment, ...] = ()
    """Sums of the span's closed windows, the largest first."""
    known_segments: tuple[Segment, ...] = ()
    """All that there are to choose from, of the span and of the windows since; no impression is in two."""
    written_ms: int | None = None
    """When the newest live document was written, ms since the epoch."""
    counted_after_s: float | None = None
    """From an event to its place in Redis, by the last windows that closed; None where it is not known."""
    verification: Verification | None = None
    """The newest window that the recount has verified."""
    supervisor: HeartbeatStatus | None = None
    """When somebody last looked after the job; None: nobody has, or Postgres is away."""
    beyond_documents: bool = False
    """Whether open windows have segments too small for their document, so that a choice may lack some."""
    outages: tuple[Outage, ...] = ()

    @property
    def delay_s(self) -> float | None:
        """From an event to the screen, at the moment of reading."""
        if self.counted_after_s is None or self.written_ms is None:
            return None
        return self.counted_after_s + self.silence_s

    @property
    def silence_s(self) -> float:
        """How old the newest figure is."""
        return 0.0 if self.written_ms is None else max(0.0, self.at_s - self.written_ms / 1000)

    def away(self, store: str) -> bool:
        """Whether a store does not answer."""
        return any(outage.store == store for outage in self.outages)


@dataclass(frozen=True, kw_only=True)
class Stores:
    """What a board is read from."""

    cache: Cache
    warehouse: Warehouse
    quality: QualityRecords
    outages: Outages


@dataclass(frozen=True, kw_only=True)
class _History:
    """What Postgres has for a board."""

    windows: Sequence[Window] = ()
    earlier: Window | None = None
    segments: Sequence[Segment] = ()
    newest: datetime | None = None
    """Start of the newest window of which Postgres has rows: the segments are up to it."""
    verification: Verification | None = None
    supervisor: HeartbeatStatus | None = None
    closed: datetime | None = None
    """Start of the newest window that is closed."""
    details: Sequence[WindowDetail] = ()
    """That window and the one before, where Redis no longer has them."""


def load(window_type: WindowType, selection: Selection, span: timedelta, stores: Stores) -> LiveData:
    """Read both stores; one that is away is named in the board, and the other's figures are shown."""
    at_s = time.time()
    outages: list[Outage] = []
    documents: list[WindowDocument] = []
    history = _History()
    try:
        documents = stores.cache.current(window_type, DOCUMENTS_READ)
        stores.outages.back("Redis")
    except CacheUnavailable as error:
        outages.append(stores.outages.away("Redis", error))
    try:
        history = _history(window_type, selection, span, documents, stores)
        stores.outages.back("Postgres")
    except WarehouseUnavailable as error:
        outages.append(stores.outages.away("Postgres", error))
    chosen = [narrowed(document, selection) for document in documents]
    windows = merge(chosen, history.windows, span)
    closed = {each.window_start_ms: each for each in history.details} | {
        each.window_start_ms: each for each in chosen if each.final
    }
    newest = history.closed or max((each.start for each in chosen if each.final), default=None)
    final, before = _last_two(window_type, newest, closed)
    return LiveData(
        window_type=window_type,
        at_s=at_s,
        windows=windows,
        open_window=_newest_open(windows),
        final_window=final,
        before_final=before,
        earlier=history.earlier,
        span_segments=tuple(each for each in history.segments if selection.holds(each)),
        known_segments=(*history.segments, *_since(history.newest, documents)),
        written_ms=max((document.written_ms for document in documents), default=None),
        counted_after_s=_counted_after_s(documents),
        verification=history.verification,
        supervisor=history.supervisor,
        beyond_documents=not selection.whole and any(_summed(document) for document in documents),
        outages=tuple(outages),
    )


def _history(
    window_type: WindowType,
    selection: Selection,
    span: timedelta,
    documents: Sequence[WindowDocument],
    stores: Stores,
) -> _History:
    """Read Postgres: a handful of queries, each bounded by the span."""
    warehouse = stores.warehouse
    verification = stores.quality.latest_verification(window_type)
    supervisor = warehouse.heartbeats().get(SUPERVISOR)
    length = window_length(window_type)
    rows = warehouse.latest_windows(window_type, 1)
    newest = max((each.start for each in (*rows, *documents)), default=None)
    if newest is None:
        return _History(verification=verification, supervisor=supervisor)
    start, end = newest + length - span, newest + length
    closed = max((each.start for each in (*rows, *documents) if _is_final(each)), default=None)
    windows = warehouse.series(window_type, start, end, selection)
    earlier: Sequence[Window] = ()
    details: list[WindowDetail] = []
    if closed is not None:
        earlier = warehouse.series(window_type, closed - EARLIER, closed - EARLIER + length, selection)
        held = {document.start for document in documents if document.final}
        details = [
            narrowed(detail, selection)
            for moment in (closed, closed - length)
            if moment not in held and (detail := warehouse.window(window_type, moment)) is not None
        ]
    return _History(
        windows=windows,
        earlier=next(iter(earlier), None),
        segments=warehouse.segments(window_type, start, end),
        newest=rows[0].start if rows else None,
        verification=verification,
        supervisor=supervisor,
        closed=closed,
        details=details,
    )


def _since(newest: datetime | None, documents: Iterable[WindowDocument]) -> list[Segment]:
    """Segments of the documents of windows after the newest one in Postgres."""
    return [
        segment
        for document in documents
        if newest is None or document.start > newest
        for segment in document.segments
    ]


def merge(
    documents: Sequence[WindowDocument], history: Sequence[Window], span: timedelta
) -> tuple[ShownWindow, ...]:
    """One entry per window of the span that ends with the newest, the newest first.

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
    if not chosen:
        return ()
    oldest = chosen[max(chosen)].window.end - span
    return tuple(
        chosen[start] for start in sorted(chosen, reverse=True) if chosen[start].window.start >= oldest
    )


def _is_final(window: Window) -> bool:
    return not isinstance(window, WindowDocument) or window.final


def _newest_open(windows: Iterable[ShownWindow]) -> WindowDocument | None:
    return next(
        (each.window for each in windows if isinstance(each.window, WindowDocument) and not each.final), None
    )


def _last_two(
    window_type: WindowType, newest: datetime | None, details: Mapping[int, WindowDetail]
) -> tuple[WindowDetail | None, WindowDetail | None]:
    """The newest closed window and the one right before it."""
    if newest is None:
        return None, None
    before = newest - window_length(window_type)
    return details.get(epoch_ms(newest)), details.get(epoch_ms(before))


def _counted_after_s(documents: Iterable[WindowDocument]) -> float | None:
    """How long the events that closed the last windows took: typical, since one may have waited for others.

    A window that late events were merged into was written again, so it says nothing.
    """
    took = [
        (each.written_ms - each.window_end_ms) / 1000 - CLOSES_AFTER_S
        for each in documents
        if each.final and each.revision == 0
    ]
    return max(0.0, median(took)) if took else None


def _summed(document: WindowDocument) -> bool:
    return any(segment.is_rest for segment in document.segments)
