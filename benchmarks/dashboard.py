"""What the dashboard's live page costs, with one reader and with many; against the running stack.

Readers are clients of Streamlit's own protocol that refresh as a browser does; one real browser beside them
opens the page.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import psutil
from playwright.async_api import async_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from contract.settings import ctr_home, load_settings
from ctr_platform.devstack.paths import StackPaths
from ctr_platform.devstack.supervise import Supervisor
from warehouse.cache import Cache
from warehouse.stream_tables import StreamTables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.asyncio.client import ClientConnection

SETTLE_S: Final = 15.0
"""After the last reader has come, until refreshes are counted."""

COMPLETE_WITHIN_MS: Final = 120_000
"""A page that takes longer is broken, not slow."""

CHARTS: Final = 4
"""The live page has so many."""

READS: Final = 2000
"""So many reads of the cache are enough for a 99th percentile."""


@dataclass
class Readers:
    """What clients of the page have measured, ms."""

    opened: list[float] = field(default_factory=list)
    refreshed: list[float] = field(default_factory=list)


async def _reader(address: str, query: str, readers: Readers, after_s: float) -> None:
    """Open the page after a while and refresh it as a browser does, until cancelled."""
    await asyncio.sleep(after_s)
    async with connect(f"{address}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
        began = time.perf_counter()
        await _ask(socket, query)
        refreshing: asyncio.Task[None] | None = None
        asked: list[float] = []
        fragment: tuple[float, str] | None = None
        try:
            async for data in socket:
                message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
                if message.WhichOneof("type") == "auto_rerun":
                    fragment = (message.auto_rerun.interval, message.auto_rerun.fragment_id)
                elif message.WhichOneof("type") == "script_finished":
                    took = 1000 * (time.perf_counter() - (asked.pop() if asked else began))
                    (readers.refreshed if refreshing else readers.opened).append(took)
                    if fragment and refreshing is None:
                        refreshing = asyncio.create_task(_refresh(socket, query, fragment, asked))
        finally:
            if refreshing:
                refreshing.cancel()


async def _refresh(
    socket: ClientConnection, query: str, fragment: tuple[float, str], asked: list[float]
) -> None:
    interval_s, name = fragment
    while True:
        await asyncio.sleep(interval_s)
        asked[:] = [time.perf_counter()]
        await _ask(socket, query, name)


async def _ask(socket: ClientConnection, query: str, fragment: str = "") -> None:
    message = BackMsg()
    message.rerun_script.query_string = query
    message.rerun_script.fragment_id = fragment
    message.rerun_script.is_auto_rerun = bool(fragment)
    await socket.send(message.SerializeToString())


async def _browse(url: str) -> tuple[float, float]:
    """Open the page in a browser that has never seen it, and once more; ms until it is complete."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = await browser.new_page(viewport={"width": 1400, "height": 1400})
        took = []
        for _ in range(2):
            began = time.perf_counter()
            await page.goto(url, timeout=COMPLETE_WITHIN_MS)
            await page.wait_for_function(
                f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {CHARTS}",
                timeout=COMPLETE_WITHIN_MS,
            )
            took.append(1000 * (time.perf_counter() - began))
        await browser.close()
    return took[0], took[1]


async def measure(  # noqa: PLR0913 - what is measured
    url: str, server: psutil.Process, viewers: int, seconds: float, refresh_s: int, *, at_once: bool
) -> None:
    """Let readers come, wait until all refresh, and print what they and the server needed."""
    readers = Readers()
    address = url.replace("http://", "ws://")
    apart_s = 0.0 if at_once else refresh_s / viewers
    clients = [
        asyncio.create_task(_reader(address, f"refresh={refresh_s}", readers, number * apart_s))
        for number in range(viewers)
    ]
    await asyncio.sleep(refresh_s + SETTLE_S)
    readers.refreshed.clear()
    before, began = server.cpu_times(), time.perf_counter()
    await asyncio.sleep(seconds)
    after, ended = server.cpu_times(), time.perf_counter()
    refreshed = list(readers.refreshed)
    first, again = await _browse(f"{url}/?refresh={refresh_s}")
    for client in clients:
        client.cancel()
        with suppress(asyncio.CancelledError):
            await client
    cpu = 100 * (after.user + after.system - before.user - before.system) / (ended - began)
    how = "at once" if at_once else "one after the other"
    print(f"{viewers} viewers, every {refresh_s} s, {how}: CPU {cpu:.1f} % of a core")
    print(f"  a refresh: {_percentiles(refreshed)}, {len(refreshed)} of them")
    print(f"  the page's first run: {_percentiles(readers.opened)}")
    print(f"  complete in a browser: {first:.0f} ms, again {again:.0f} ms")


def _percentiles(samples: Sequence[float]) -> str:
    p50, p95 = np.percentile(samples, [50, 95])
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms"


def _read_cache() -> None:
    settings = load_settings()
    tables = StreamTables.of(settings.declared_stream())
    cache = Cache(settings.redis_host, settings.redis_port, settings.redis_key_prefix, tables)
    took = []
    for _ in range(READS):
        began = time.perf_counter()
        cache.current("1min", 8)
        took.append(1000 * (time.perf_counter() - began))
    p50, p99 = np.percentile(took, [50, 99])
    print(f"cache read of 8 windows: p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {max(took):.2f} ms")


def main() -> None:
    """Measure against the running stack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 20])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--refresh", type=int, default=10, help="seconds between two refreshes")
    parser.add_argument(
        "--at-once", action="store_true", help="all readers come, and so refresh, at the same moment"
    )
    arguments = parser.parse_args()
    url = load_settings().dashboard_url
    server = psutil.Process(Supervisor(StackPaths(ctr_home())).states()["dashboard"].pid)
    print(f"{os.cpu_count()} cores")
    _read_cache()
    for viewers in arguments.viewers:
        asyncio.run(
            measure(url, server, viewers, arguments.seconds, arguments.refresh, at_once=arguments.at_once)
        )


if __name__ == "__main__":
    main()
