"""The stores that the pages read, one of each for all sessions, and what all readers share of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st
from sqlalchemy import make_url

from contract.errors import WarehouseUnavailable
from contract.settings import load_settings
from dashboard.user_context.dimensions import shown_dimensions
from dashboard.user_context.measures import shown_measures
from dashboard.view_models.comparison import compare
from dashboard.view_models.health import load_health
from dashboard.view_models.live import Stores, load
from dashboard.view_models.outages import Outages
from dashboard.view_models.quality import load_quality
from warehouse.cache import Cache
from warehouse.quality_reads import QualityRecords
from warehouse.reads import Warehouse
from warehouse.stream_tables import StreamTables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from contract.settings import Settings
    from contract.stream.load import DeclaredStream
    from dashboard.user_context.dimensions import ShownDimension
    from dashboard.user_context.measures import ShownMeasure
    from dashboard.view_models.comparison import Comparison, Mode
    from dashboard.view_models.health import HealthData
    from dashboard.view_models.live import LiveData
    from dashboard.view_models.quality import QualityData
    from warehouse.windows import Selection, WindowType

SHARED_FOR_S: Final = 2
"""However many readers there are, the stores are read once in so long: half the fastest refresh."""

HISTORY_SHARED_FOR_S: Final = 10
"""What is closed or verified is shared longer: it changes once a minute, and weeks of it cost a second."""

SHARED_VIEWS: Final = 200
"""Choices of segments and spans that are kept at once; each holds some thousand windows at most."""


def settings() -> Settings:
    """Read the settings, or share them: a stack that moves to other ports is followed.

    Raises:
        CtrError: a setting cannot be used.
    """
    return _settings()


def stores() -> Stores:
    """Redis and Postgres, as the settings are now.

    Raises:
        CtrError: a setting cannot be used.
    """
    now = settings()
    url = now.postgres_reader_url.render_as_string(hide_password=False)
    return Stores(
        cache=_cache(now.redis_host, now.redis_port, now.redis_key_prefix, StreamTables.of(stream())),
        warehouse=_warehouse(url),
        quality=_quality(url),
        outages=_outages(),
    )


def stream() -> DeclaredStream:
    """The stream that is counted; while Postgres is away, the one that was last, or is declared.

    Raises:
        CtrError: a setting cannot be used.
    """
    return _stream()


def dimensions() -> tuple[ShownDimension, ...]:
    """The dimensions of that stream, with the names of their values."""
    return shown_dimensions(stream(), names())


def names() -> Mapping[str, Mapping[str, str]]:
    """Names of values, by the dimension's column and the value; while Postgres is away, the last ones.

    Raises:
        CtrError: a setting cannot be used.
    """
    return _names()


def measures() -> tuple[ShownMeasure, ...]:
    """What that stream sums besides impressions and clicks."""
    return shown_measures(stream())


def live_data(window_type: WindowType, selection: Selection, span: timedelta) -> LiveData:
    """Read a live page's board, or share one that another reader has just read."""
    return _board(window_type, selection, span)


def comparison(mode: Mode, selections: tuple[Selection, Selection], span: timedelta) -> Comparison:
    """Read two series to compare, or share them."""
    return _comparison(mode, selections, span)


def quality(span: timedelta) -> QualityData:
    """Read what was verified and what became of the records, or share it."""
    return _record(span)


def health() -> HealthData:
    """Ask every service how it is, or share the answers."""
    return _pipeline()


def read_anew() -> None:
    """Forget what is shared: the next reads ask anew."""
    for shared in (_settings, _stream, _names, _board, _comparison, _record, _pipeline):
        shared.clear()


# What is shared is never changed, so no reader needs a copy.
@st.cache_resource(ttl=SHARED_FOR_S, max_entries=1, show_spinner=False)
def _settings() -> Settings:
    return load_settings()


@st.cache_resource(ttl=HISTORY_SHARED_FOR_S, max_entries=1, show_spinner=False)
def _stream() -> DeclaredStream:
    last = _last_stream()
    url = settings().postgres_reader_url.render_as_string(hide_password=False)
    try:
        last[:] = [_warehouse(url).stream().stream]
    except WarehouseUnavailable:
        return last[0] if last else settings().declared_stream()
    return last[0]


@st.cache_resource(show_spinner=False)
def _last_stream() -> list[DeclaredStream]:
    """The one that was on record when Postgres last answered; none: it has not yet."""
    return []


@st.cache_resource(ttl=HISTORY_SHARED_FOR_S, max_entries=1, show_spinner=False)
def _names() -> Mapping[str, Mapping[str, str]]:
    last = _last_names()
    url = settings().postgres_reader_url.render_as_string(hide_password=False)
    try:
        last[:] = [_warehouse(url).names()]
    except WarehouseUnavailable:
        return last[0] if last else {}
    return last[0]


@st.cache_resource(show_spinner=False)
def _last_names() -> list[Mapping[str, Mapping[str, str]]]:
    """Those that were there when Postgres last answered; none: it has not yet."""
    return []


@st.cache_resource(ttl=SHARED_FOR_S, max_entries=SHARED_VIEWS, show_spinner=False)
def _board(window_type: WindowType, selection: Selection, span: timedelta) -> LiveData:
    return load(window_type, selection, span, stores())


@st.cache_resource(ttl=HISTORY_SHARED_FOR_S, max_entries=SHARED_VIEWS, show_spinner=False)
def _comparison(mode: Mode, selections: tuple[Selection, Selection], span: timedelta) -> Comparison:
    return compare(mode, selections, span, stores())


@st.cache_resource(ttl=HISTORY_SHARED_FOR_S, max_entries=SHARED_VIEWS, show_spinner=False)
def _record(span: timedelta) -> QualityData:
    return load_quality(span, stores())


@st.cache_resource(ttl=SHARED_FOR_S, max_entries=1, show_spinner=False)
def _pipeline() -> HealthData:
    return load_health(settings(), stores())


# One entry: a stack that moved to other ports has left the old ones for good.
@st.cache_resource(max_entries=1, show_spinner=False, on_release=Cache.close, hash_funcs={StreamTables: repr})
def _cache(host: str, port: int, key_prefix: str, tables: StreamTables) -> Cache:
    return Cache(host, port, key_prefix, tables)


@st.cache_resource(max_entries=1, show_spinner=False, on_release=Warehouse.close)
def _warehouse(url: str) -> Warehouse:
    return Warehouse(make_url(url))


@st.cache_resource(max_entries=1, show_spinner=False, on_release=QualityRecords.close)
def _quality(url: str) -> QualityRecords:
    return QualityRecords(make_url(url))


@st.cache_resource(show_spinner=False)
def _outages() -> Outages:
    return Outages()
