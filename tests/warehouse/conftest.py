"""A migrated warehouse for the tests of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stores import empty

if TYPE_CHECKING:
    from sqlalchemy import URL

    from tests.support.stack import RunningStack


@pytest.fixture
def url(stores: RunningStack) -> URL:
    """Address of a migrated warehouse without rows."""
    empty(stores.settings.postgres_url)
    return stores.settings.postgres_url
