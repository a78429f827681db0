"""Writes the cache: one atomic script per document, and a pause while Redis is unavailable."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import redis

from flink.documents import TIME_TO_LIVE_S, document_key, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG: Final = logging.getLogger(__name__)

SCRIPT: Final = Path(__file__).parent / "redis" / "write_document.lua"

TIMEOUT_S: Final = 0.25
"""A write takes well under a millisecond; a Redis that does not answer may hold the job up no longer."""

PAUSE_S: Final = 1.0
"""After a failure nothing is tried for this long: an absent Redis costs a quarter of the time at most."""


class DocumentStore:
    """Writes window documents to Redis by the script in `SCRIPT`.

    A Redis that is away or refuses writes (full, a replica, a login that it wants) raises nothing. It is
    logged once when it begins and once when it is over.
    """

    def __init__(self, host: str, port: int, key_prefix: str = "", script: str | None = None) -> None:
        self._address = f"{host}:{port}"
        self._redis = redis.Redis(
            host=host,
            port=port,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            client_name="ctr-job",
        )
        self._prefix = key_prefix
        self._script = self._redis.register_script(script or SCRIPT.read_text(encoding="utf-8"))
        self._paused_until = 0.0
        self._refused: set[str] = set()
        self._refused_since = 0.0
        self.refusal: str | None = None
        """Why Redis takes no documents; None while it does."""

    def write(self, document: Mapping[str, Any]) -> bool:
        """Offer a document to Redis.

        Returns:
            Whether Redis took it. It may have answered that it holds a better document.
        """
        if time.monotonic() < self._paused_until:
            return False
        window_type = document["window_type"]
        try:
            self._script(
                keys=[
                    self._prefix + document_key(window_type, each)
                    for each in (document["window_id"], "index")
                ],
                args=[
                    to_json(document),
                    TIME_TO_LIVE_S[window_type],
                    document["window_id"],
                    document["window_start"],
                ],
            )
        except redis.RedisError as error:
            self._refuses(window_type, f"{type(error).__name__}: {error}")
            return False
        self._takes(window_type)
        return True

    def _refuses(self, window_type: str, reason: str) -> None:
        self._paused_until = time.monotonic() + PAUSE_S
        # After a failover this connection may still lead to what is a replica by now.
        self._redis.connection_pool.disconnect()
        if self.refusal is None:
            self._refused_since = time.monotonic()
            LOG.warning(
                "Redis at %s takes no documents (%s): open windows are skipped, final ones tried every %g s",
                self._address,
                reason,
                PAUSE_S,
                extra={"event": "redis_unavailable"},
            )
        self._refused.add(window_type)
        self.refusal = reason

    def _takes(self, window_type: str) -> None:
        if self.refusal is None:
            return
        # Rights may differ by key: it is over when all that it refused is taken.
        self._refused.discard(window_type)
        if not self._refused:
            refused_s = time.monotonic() - self._refused_since
            LOG.warning(
                "Redis at %s takes documents again, after %.0f s",
                self._address,
                refused_s,
                extra={"event": "redis_back"},
            )
            self.refusal = None

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()
