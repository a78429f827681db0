"""How every client of the platform connects to the Schema Registry."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

from confluent_kafka.schema_registry import SchemaRegistryClient

# The client raises httpx's errors from httpx2 or httpx, whichever is installed: this is the one it chose.
from confluent_kafka.schema_registry.common._httpx_compat import httpx
from confluent_kafka.schema_registry.error import SchemaRegistryError

from contract.errors import InvalidSetting, RegistryRefused, RegistryUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.settings import Settings

REGISTRY_TIMEOUT_S: Final = 10.0
"""The client's own default is to wait for ever, and some registries lose an answer now and then."""

_MAX_RETRIES: Final = 2
"""On a refused connection, 1 s and more apart: long enough for a hiccup, short enough for a person."""

_MAX_SAID: Final = 300
"""Characters of a refusal: a proxy may answer with a page."""

T = TypeVar("T")


def registry_client(settings: Settings) -> SchemaRegistryClient:
    """A registry client with a time limit; it connects at its first request. Use it in a `with`.

    Serializers built on it need `subject.name.strategy` set to `topic_subject_name_strategy`: the
    default strategy asks for a path that only Confluent's own registry has.

    Raises:
        CtrError: the setting is no address.
    """
    try:
        return SchemaRegistryClient(
            {
                "url": settings.schema_registry_url,
                "timeout": REGISTRY_TIMEOUT_S,
                "max.retries": _MAX_RETRIES,
            }
        )
    except ValueError as error:
        raise InvalidSetting(f"SCHEMA_REGISTRY_URL: {error}") from None


def ask(settings: Settings, request: Callable[[], T]) -> T:
    """Run a request of a registry client and put its failure into words.

    Raises:
        CtrError: the registry does not answer, or refused.
    """
    url = settings.schema_registry_url
    try:
        return request()
    except httpx.TransportError as error:
        raise RegistryUnavailable(
            f"The Schema Registry at {url} does not answer ({error}): "
            "start the stack with `ctr up`, or set SCHEMA_REGISTRY_URL."
        ) from None
    except SchemaRegistryError as error:
        said = " ".join(str(error.error_message).split())[:_MAX_SAID]
        denied = error.http_status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        verb = "refuses access" if denied else "refused"
        raise RegistryRefused(
            f"The Schema Registry at {url} {verb} (HTTP {error.http_status_code}): {said}"
        ) from None


def unless_not_found(request: Callable[[], T]) -> T | None:
    """Run a request; None where the registry does not know what it asks for."""
    try:
        return request()
    except SchemaRegistryError as error:
        if error.http_status_code == HTTPStatus.NOT_FOUND:
            return None
        raise
