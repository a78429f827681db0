"""A reverse proxy as people put before Flink: TLS, and the server below a path."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST: Final = "127.0.0.1"
STORE_PASSWORD: Final = "changeit"  # noqa: S105 - what Java assumes
FORWARDED_WITHIN_S: Final = 60
HOP_HEADERS: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
"""Headers of one connection, not of what it carries."""


@dataclass
class TlsProxy:
    """One that runs."""

    url: str
    certificate: Path
    """PEM, for `SSL_CERT_FILE`."""

    trust_store: Path
    """The same for Java."""

    requests: list[str] = field(default_factory=list)
    """Method and path of all that came below the path."""

    strays: list[str] = field(default_factory=list)
    """And beside it."""


class _Server(ThreadingHTTPServer):
    def __init__(self, target: str, path: str, made: TlsProxy) -> None:
        super().__init__((HOST, 0), _Handler)
        self.target, self.path, self.made = target, path, made


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _forward(self) -> None:
        body = self._body()
        asked = f"{self.command} {self.path}"
        if not self.path.startswith(f"{self.server.path}/"):
            self.server.made.strays.append(asked)
            self._answer(404, "text/plain", b"")
            return
        self.server.made.requests.append(asked)
        answer = httpx.request(
            self.command,
            self.server.target + self.path.removeprefix(self.server.path),
            headers={name: value for name, value in self.headers.items() if name.lower() not in HOP_HEADERS},
            content=body,
            timeout=FORWARDED_WITHIN_S,
        )
        self._answer(answer.status_code, answer.headers["content-type"], answer.content)

    # The names are the standard library's.
    do_GET = do_POST = do_PATCH = _forward  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        del words


@contextmanager
def tls_proxy(target: str, path: str, folder: Path) -> Iterator[TlsProxy]:
    """Serve `target` at `https://127.0.0.1:port/path`, and nothing beside it."""
    key_file, made = folder / "key.pem", TlsProxy("", folder / "certificate.pem", folder / "trust.p12")
    _certify(key_file, made)
    server = _Server(target, path, made)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, key_file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    made.url = f"https://{HOST}:{server.server_address[1]}{path}"
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def _certify(key_file: Path, made: TlsProxy) -> None:
    """Write a key, its own certificate, and a store of Java's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    today = dt.datetime.now(tz=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    trusted = pkcs12.PKCS12Certificate(certificate, b"test")
    encryption = serialization.BestAvailableEncryption(STORE_PASSWORD.encode())
    made.trust_store.write_bytes(pkcs12.serialize_java_truststore([trusted], encryption))
