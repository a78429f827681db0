"""The subject of the raw topic's values: the declared event schema, registered."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from confluent_kafka.schema_registry import RegisteredSchema as Registration
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from contract.errors import RegistryRefused
from contract.settings import Settings
from ctr_platform.defs.registry.client import ask, registry_client, unless_not_found

COMPATIBILITY: Final = "FULL_TRANSITIVE"


@dataclass(frozen=True, kw_only=True)
class RegisteredSchema:
    """The event schema as the registry knows it; `id` is what the wire format carries."""

    id: int
    version: int
    subject: str
    compatibility: str


def ensure_subject(settings: Settings) -> RegisteredSchema:
    """Register the event schema under the raw topic's subject with the contract's compatibility.

    Idempotent: a schema that is already registered keeps its id and version, also when it is no
    longer the newest.

    Raises:
        CtrError: the registry does not answer, the schema breaks compatibility, or no stream is declared.
    """
    schema = settings.declared_stream().event_schema
    with registry_client(settings) as client:
        return ask(settings, lambda: _ensure(client, settings.raw_subject, Schema(schema, "AVRO")))


def schema_standing(settings: Settings, event_schema: str) -> str:
    """Say in words how an event schema stands to those that the subject holds; nothing is registered.

    Raises:
        CtrError: the registry does not answer.
    """
    with registry_client(settings) as client:
        return ask(settings, lambda: _standing(client, settings.raw_subject, Schema(event_schema, "AVRO")))


def _standing(client: SchemaRegistryClient, subject: str, schema: Schema) -> str:
    found = unless_not_found(lambda: client.lookup_schema(subject, schema))
    if found is not None:
        return f"version {found.version} of {subject}"
    if unless_not_found(lambda: client.get_latest_version(subject)) is None:
        return f"will be the first of {subject}"
    if client.test_compatibility(subject, schema):
        return f"new to {subject}, and {COMPATIBILITY} with what it holds"
    return f"not {COMPATIBILITY} with what {subject} holds: give new fields a default, and keep the others"


def _ensure(client: SchemaRegistryClient, subject: str, schema: Schema) -> RegisteredSchema:
    # Before the first version, so that there is never one without the rule.
    if unless_not_found(lambda: client.get_compatibility(subject)) != COMPATIBILITY:
        client.set_compatibility(subject, COMPATIBILITY)
    found = unless_not_found(lambda: client.lookup_schema(subject, schema))
    if found is None:
        _register(client, subject, schema)
        found = client.lookup_schema(subject, schema)
    return _as_registered(found, subject)


def _register(client: SchemaRegistryClient, subject: str, schema: Schema) -> None:
    try:
        client.register_schema(subject, schema)
    except SchemaRegistryError as error:
        if error.http_status_code == HTTPStatus.CONFLICT:
            raise RegistryRefused(
                f"The event schema is not {COMPATIBILITY} with what {subject} holds: give new fields a "
                f"default and keep those without one. The registry says: {error.error_message}"
            ) from None
        raise


def _as_registered(found: Registration, subject: str) -> RegisteredSchema:
    if found.schema_id is None or found.version is None:
        raise RegistryRefused(
            f"The Schema Registry gave no id or version for {subject}: is it Confluent-compatible?"
        )
    return RegisteredSchema(
        id=found.schema_id, version=found.version, subject=subject, compatibility=COMPATIBILITY
    )
