"""The stores that the pages read, one of each for all sessions."""

from __future__ import annotations

import streamlit as st
from sqlalchemy import make_url

from ctr_platform.settings import load_settings
from warehouse.cache import Cache
from warehouse.reads import Warehouse


def cache() -> Cache:
    """Redis, as the settings are now.

    Raises:
        CtrError: a setting cannot be used.
    """
    settings = load_settings()
    return _cache(settings.redis_host, settings.redis_port)


def warehouse() -> Warehouse:
    """Postgres, as the settings are now.

    Raises:
        CtrError: a setting cannot be used.
    """
    return _warehouse(load_settings().postgres_url.render_as_string(hide_password=False))


# One entry: a stack that moved to other ports has left the old ones for good.
@st.cache_resource(max_entries=1, show_spinner=False, on_release=Cache.close)
def _cache(host: str, port: int) -> Cache:
    return Cache(host, port)


@st.cache_resource(max_entries=1, show_spinner=False, on_release=Warehouse.close)
def _warehouse(url: str) -> Warehouse:
    return Warehouse(make_url(url))
