"""Settings that mean something beyond their type: whose login readers use, one address for all of Flink."""

from __future__ import annotations

import httpx
import pytest

from contract.errors import InvalidSetting
from contract.settings import Settings, load_settings
from flink.submit import address_options


def test_readers_use_their_own_login_if_there_is_one() -> None:
    owner = {"postgres_user": "owner", "postgres_password": "o", "postgres_reader_user": ""}
    reader = {"postgres_reader_user": "reader", "postgres_reader_password": "p@ss"}
    alone, both = Settings.model_validate(owner), Settings.model_validate(owner | reader)
    assert alone.postgres_reader_url == alone.postgres_url
    assert (both.postgres_reader_url.username, both.postgres_reader_url.password) == ("reader", "p@ss")
    assert both.postgres_reader_url.set(username="owner", password="o") == both.postgres_url  # noqa: S106


@pytest.mark.parametrize(
    "url",
    [
        "http://jobmanager:8081",
        "http://jobmanager",
        "https://host",
        "https://host/flink",
        "https://host:8443/a/flink/",
        "http://[::1]:8081",
    ],
)
def test_the_job_is_submitted_to_where_it_is_looked_at(url: str) -> None:
    told = Settings(flink_rest_url=url).flink_rest_url
    asked = httpx.Client(base_url=told).build_request("GET", "/jobs").url
    options = address_options(told)
    assert options["rest.address"] == asked.host
    assert int(options["rest.port"]) == (asked.port or {"http": 80, "https": 443}[asked.scheme])
    assert f"{options['rest.path']}/jobs" == asked.path
    assert options["security.ssl.rest.enabled"] == str(asked.scheme == "https").lower()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("jobmanager:8081", "write an address such as"),
        ("ftp://host/flink", "write an address such as"),
        ("https://", "write an address such as"),
        ("https://user:secret@host/flink", "no login"),
        ("https://host/flink?token=secret", "neither ? nor #"),
        ("http://host:99999", "out of range"),
    ],
)
def test_an_address_that_flinks_client_cannot_take_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("FLINK_REST_URL", url)
    with pytest.raises(InvalidSetting) as refused:
        load_settings()
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "user:secret" not in str(refused.value)
