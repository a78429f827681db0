"""The event schema is registered as the contract says, at a real registry."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from contract.errors import CtrError, RegistryRefused
from contract.settings import Settings
from contract.stream.load import shipped_stream
from ctr_platform.defs.registry.subject import ensure_subject
from tests.support.refusing import refusing_registry

pytestmark = pytest.mark.stack


def call(settings: Settings, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = httpx.request(method, f"{settings.schema_registry_url}/{path}", json=body, timeout=30)
    return answer.raise_for_status().json()


@pytest.fixture
def registry(kafka_settings: Settings) -> Settings:
    """Settings of a registry without the subject."""
    return kafka_settings


def test_the_one_schema_is_registered_with_its_compatibility(registry: Settings) -> None:
    first = ensure_subject(registry)
    assert (first.subject, first.version, first.compatibility) == (registry.raw_subject, 1, "FULL_TRANSITIVE")
    stored = call(registry, "GET", f"schemas/ids/{first.id}")["schema"]
    assert json.loads(stored) == json.loads(shipped_stream().event_schema)
    assert call(registry, "GET", f"config/{registry.raw_subject}")["compatibilityLevel"] == "FULL_TRANSITIVE"
    assert ensure_subject(registry) == first
    assert call(registry, "GET", f"subjects/{registry.raw_subject}/versions") == [1]


def test_a_changed_compatibility_is_set_back(registry: Settings) -> None:
    ensure_subject(registry)
    call(registry, "PUT", f"config/{registry.raw_subject}", {"compatibility": "NONE"})
    ensure_subject(registry)
    assert call(registry, "GET", f"config/{registry.raw_subject}")["compatibilityLevel"] == "FULL_TRANSITIVE"


def test_it_keeps_its_version_when_a_newer_one_is_registered(registry: Settings) -> None:
    first = ensure_subject(registry)
    newer = json.loads(shipped_stream().event_schema)
    newer["fields"].append({"name": "campaign", "type": "string", "default": ""})
    call(registry, "POST", f"subjects/{registry.raw_subject}/versions", {"schema": json.dumps(newer)})
    assert ensure_subject(registry) == first


def test_an_incompatible_history_is_refused_in_words(registry: Settings) -> None:
    other = json.loads(shipped_stream().event_schema)
    other["fields"][0]["type"] = "long"
    call(registry, "POST", f"subjects/{registry.raw_subject}/versions", {"schema": json.dumps(other)})
    with pytest.raises(CtrError, match="FULL_TRANSITIVE"):
        ensure_subject(registry)
    assert call(registry, "GET", f"subjects/{registry.raw_subject}/versions") == [1]


def test_without_a_registry_there_is_one_clear_line(registry: Settings) -> None:
    nowhere = registry.model_copy(update={"schema_registry_url": "http://127.0.0.1:1"})
    with pytest.raises(CtrError, match=r"Schema Registry at http://127.0.0.1:1 does not answer.*ctr up"):
        ensure_subject(nowhere)


def test_an_address_that_is_none_is_refused(registry: Settings) -> None:
    nonsense = registry.model_copy(update={"schema_registry_url": "localhost"})
    with pytest.raises(CtrError, match="SCHEMA_REGISTRY_URL"):
        ensure_subject(nonsense)


@pytest.mark.parametrize("status", [401, 403])
def test_a_registry_that_refuses_access_is_named_in_one_line(status: int) -> None:
    with refusing_registry(status) as url, pytest.raises(RegistryRefused) as refused:
        ensure_subject(Settings(schema_registry_url=url))
    message = str(refused.value)
    assert message.startswith(f"The Schema Registry at {url} refuses access (HTTP {status}): ")
    assert "\n" not in message
    assert len(message) < 500
