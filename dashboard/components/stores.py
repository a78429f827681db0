"""The stores that the pages read, one of each for all sessions, and what all readers share of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st
from sqlalchemy import make_url

from ctr_platform.settings import load_settings
from dashboard.content.board import Stores, load
from dashboard.content.comparison import compare
from dashboard.content.outages import Outages
from dashboard.content.pipeline import load_pipeline
from dashboard.content.record import load_record
from warehouse.cache import Cache
from warehouse.quality_reads import QualityRecords
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from datetime import timedelta

    from ctr_platform.settings import Settings
    from dashboard.content.board import Board
    from dashboard.content.comparison import Comparison, Mode
    from dashboard.content.pipeline import Pipeline
    from dashboard.content.record import Record
    from warehouse.windows import Selection, WindowType

SHARED_FOR_S: Final = 2
"""However many readers there are, the stores are read once in so long: half the fastest refresh."""

HISTORY_SHARED_FOR_S: Final = 10
"""Of what is closed, verified, or on record: it changes once a minute, and weeks of it cost a second."""

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
        cache=_cache(now.redis_host, now.redis_port),
        warehouse=_warehouse(url),
        quality=_quality(url),
        outages=_outages(),
    )


def board(window_type: WindowType, selection: Selection, span: timedelta) -> Board:
    """Read a live page's board, or share one that another reader has just read."""
    return _board(window_type, selection, span)


def comparison(mode: Mode, selections: tuple[Selection, Selection], span: timedelta) -> Comparison:
    """Read two series to compare, or share them."""
    return _comparison(mode, selections, span)


def record(span: timedelta) -> Record:
    """Read what was verified and what became of the records, or share it."""
    return _record(span)


def pipeline() -> Pipeline:
    """Ask every service how it is, or share the answers."""
    return _pipeline()


def read_anew() -> None:
    """Forget what is shared: the next reads ask anew."""
    for shared in (_settings, _board, _comparison, _record, _pipeline):
        shared.clear()


# What is shared is never changed, so no reader needs a copy.
@st.cache_resource(ttl=SHARED_FOR_S, max_entries=1, show_spinner=False)
def _settings() -> Settings:
    return load_settings()


@st.cache_resource(ttl=SHARED_FOR_S, max_entries=SHARED_VIEWS, show_spinner=False)
def _board(window_type: WindowType, selection: Selection, span: timedelta) -> Board:
    return load(window_type, selection, span, stores())


@st.cache_resource(ttl=HISTORY_SHARED_FOR_S, max_entries=SHARED_VIEWS, show_spinner=False)
def _comparison(mode: Mode, selections: tuple[Selection, Selection], span: timedelta) -> Comparison:
    return compare(mode, selections, span, stores())


@st.cache_resource(ttl=HISTORY_SHARED_FOR_S, max_entries=SHARED_VIEWS, show_spinner=False)
def _record(span: timedelta) -> Record:
    return load_record(span, stores())


@st.cache_resource(ttl=SHARED_FOR_S, max_entries=1, show_spinner=False)
def _pipeline() -> Pipeline:
    return load_pipeline(settings(), stores())


# One entry: a stack that moved to other ports has left the old ones for good.
@st.cache_resource(max_entries=1, show_spinner=False, on_release=Cache.close)
def _cache(host: str, port: int) -> Cache:
    return Cache(host, port)


@st.cache_resource(max_entries=1, show_spinner=False, on_release=Warehouse.close)
def _warehouse(url: str) -> Warehouse:
    return Warehouse(make_url(url))


@st.cache_resource(max_entries=1, show_spinner=False, on_release=QualityRecords.close)
def _quality(url: str) -> QualityRecords:
    return QualityRecords(make_url(url))


@st.cache_resource(show_spinner=False)
def _outages() -> Outages:
    return Outages()
