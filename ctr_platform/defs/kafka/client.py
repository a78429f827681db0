"""How every client of the platform connects to Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from contract.errors import KafkaRefused, KafkaUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from contract.settings import Settings

ADMIN_TIMEOUT_S: Final = 15.0
"""For one administrative request: a broker that is starting answers within 10 s on a busy small machine."""

_SILENT: Final = 0
"""librdkafka writes its log to standard error by itself; what matters comes back as an error."""

# Public constants all the same: the underscore is librdkafka's mark for errors that arise in the client.
_UNREACHABLE: Final = (
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
)

T = TypeVar("T")


def client_config(settings: Settings) -> dict[str, str | int | float]:
    """Configuration that any librdkafka client of this platform starts from."""
    return {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "client.id": "ctr-platform",
        "log_level": _SILENT,
    }


def admin_client(settings: Settings) -> AdminClient:
    """An AdminClient; it connects at its first request."""
    return AdminClient({**client_config(settings), "socket.timeout.ms": int(ADMIN_TIMEOUT_S * 1000)})


def ask(settings: Settings, request: Callable[[], T]) -> T:
    """Run a request of a Kafka client and put its failure into words.

    Raises:
        CtrError: the broker does not answer, or refused.
    """
    try:
        return request()
    except KafkaException as error:
        cause = error.args[0]
        if cause.retriable() or cause.code() in _UNREACHABLE:
            raise KafkaUnavailable(
                f"Kafka at {settings.kafka_bootstrap_servers} does not answer ({cause.str()}): "
                "start the stack with `ctr up`, or set KAFKA_BOOTSTRAP_SERVERS."
            ) from None
        raise KafkaRefused(f"Kafka at {settings.kafka_bootstrap_servers} refused: {cause.str()}") from None


def result(future: Future[T]) -> T:
    """Wait for the answer to an administrative request, of at most twice its own time limit."""
    return future.result(timeout=2 * ADMIN_TIMEOUT_S)
