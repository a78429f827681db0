"""Whose login the readers of the warehouse use."""

from __future__ import annotations

from contract.settings import Settings


def test_readers_use_their_own_login_if_there_is_one() -> None:
    owner = {"postgres_user": "owner", "postgres_password": "o", "postgres_reader_user": ""}
    reader = {"postgres_reader_user": "reader", "postgres_reader_password": "p@ss"}
    alone, both = Settings.model_validate(owner), Settings.model_validate(owner | reader)
    assert alone.postgres_reader_url == alone.postgres_url
    assert (both.postgres_reader_url.username, both.postgres_reader_url.password) == ("reader", "p@ss")
    assert both.postgres_reader_url.set(username="owner", password="o") == both.postgres_url  # noqa: S106
