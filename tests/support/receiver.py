"""A real receiver of webhooks."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Receiver:
    """What has arrived, and what the next messages are answered with."""

    url: str = ""
    status: int = 200
    texts: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    """Called while a sender waits for the answer."""

    def take(self) -> list[str]:
        """Lines that have arrived since the last call."""
        lines = [line for text in self.texts for line in text.splitlines()]
        self.texts.clear()
        return lines


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on a free port."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if made.status == 200:
                made.texts.append(body["text"])
            made.meanwhile()
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/services/secret"
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
