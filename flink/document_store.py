"""Writes the cache: one atomic script per document, and a pause while Redis is unavailable."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import redis

from flink.documents import TIME_TO_LIVE_S, document_key, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPT: Final = Path(__file__).parent / "redis" / "write_document.lua"

TIMEOUT_S: Final = 0.25
"""A write takes well under a millisecond; a Redis that does not answer may hold the job up no longer."""

PAUSE_S: Final = 1.0
"""After a failure nothing is tried for this long: an absent Redis costs a quarter of the time at most."""


class DocumentStore:
    """Writes window documents to Redis by the script in `SCRIPT`; an unavailable Redis raises nothing."""

    def __init__(self, host: str, port: int, key_prefix: str = "", script: str | None = None) -> None:
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

    def write(self, document: Mapping[str, Any]) -> bool:
        """Offer a document to Redis.

        Returns:
            Whether Redis answered. It may have answered that it holds a better document.
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
        except redis.RedisError:
            self._paused_until = time.monotonic() + PAUSE_S
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()
