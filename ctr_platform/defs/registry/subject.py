"""The subject of the raw topic's values: the project's event schema, registered."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Final, TypeVar

from confluent_kafka.schema_registry import RegisteredSchema as Registration
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from ctr_platform.errors import CtrError
from ctr_platform.registry.client import ask, registry_client
from ctr_platform.settings import RAW_TOPIC, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

RAW_SUBJECT: Final = f"{RAW_TOPIC}-value"
COMPATIBILITY: Final = "FULL_TRANSITIVE"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class RegisteredSchema:
    """The event schema as the registry knows it; `id` is what the wire format carries."""

    id: int
    version: int
    subject: str
    compatibility: str


def event_schema_json() -> str:
    """The event schema, as the text of its one file."""
    return files("flink").joinpath("schema", "ad_event.avsc").read_text(encoding="utf-8")


def ensure_subject(settings: Settings) -> RegisteredSchema:
    """Register the event schema under `RAW_SUBJECT` with the contract's compatibility.

    Idempotent: a schema that is already registered keeps its id and version, also when it is no
    longer the newest.

    Raises:
        CtrError: the registry does not answer, or the schema breaks compatibility.
    """
    with registry_client(settings) as client:
        return ask(settings, lambda: _ensure(client, Schema(event_schema_json(), "AVRO")))


def _ensure(client: SchemaRegistryClient, schema: Schema) -> RegisteredSchema:
    # Before the first version, so that there is never one without the rule.
    if _unless_missing(lambda: client.get_compatibility(RAW_SUBJECT)) != COMPATIBILITY:
        client.set_compatibility(RAW_SUBJECT, COMPATIBILITY)
    found = _unless_missing(lambda: client.lookup_schema(RAW_SUBJECT, schema))
    if found is None:
        _register(client, schema)
        found = client.lookup_schema(RAW_SUBJECT, schema)
    return _as_registered(found)


def _register(client: SchemaRegistryClient, schema: Schema) -> None:
    try:
        client.register_schema(RAW_SUBJECT, schema)
    except SchemaRegistryError as error:
        if error.http_status_code == HTTPStatus.CONFLICT:
            raise CtrError(
                f"The event schema is not {COMPATIBILITY} with what {RAW_SUBJECT} holds: give new fields a "
                f"default and keep those without one. The registry says: {error.error_message}"
            ) from None
        raise


def _unless_missing(request: Callable[[], T]) -> T | None:
    try:
        return request()
    except SchemaRegistryError as error:
        if error.http_status_code == HTTPStatus.NOT_FOUND:
            return None
        raise


def _as_registered(found: Registration) -> RegisteredSchema:
    if found.schema_id is None or found.version is None:
        raise CtrError(
            f"The Schema Registry gave no id or version for {RAW_SUBJECT}: is it Confluent-compatible?"
        )
    return RegisteredSchema(
        id=found.schema_id, version=found.version, subject=RAW_SUBJECT, compatibility=COMPATIBILITY
    )
