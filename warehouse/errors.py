"""What the stores raise when they cannot answer. Each message is one line that a person may read."""

from __future__ import annotations


class WarehouseUnavailable(Exception):  # noqa: N818 - a state of the world, not a mistake
    """Postgres is away, too slow, or not migrated."""


class CacheUnavailable(Exception):  # noqa: N818 - a state of the world, not a mistake
    """Redis is away, too slow, or holds something that is no window document."""
