"""What the page on one's own events tells people to write and type works, from its first line to its last."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Final

import pytest
from dotenv import dotenv_values
from sqlalchemy import URL, text

from contract.settings import STACK_ENV_FILE
from tests.support.documents import ROOT, page
from tests.support.stores import writing_engine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.documents import Block

COUNTED_WITHIN_S: Final = 240
"""A minute has to end and to close; a machine that starts a second stack beside it has no free core."""

FOLDER: Final = "shop"
ON_THE_PAGE: Final = "/tmp/shop-stack"  # noqa: S108 - a reader's


def _run(command: str, folder: Path, home: Path) -> str:
    """A block of shell commands as a reader would type it; the stack lives in a folder of the test's own."""
    done = subprocess.run(
        ["bash", "-ec", command.replace(ON_THE_PAGE, str(home))],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "CTR_"))},
            "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
            "CTR_HOME": str(home),
            "CTR_STREAM": FOLDER,
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def _rows(home: Path, statement: str) -> list[tuple[object, ...]]:
    values = dotenv_values(home / STACK_ENV_FILE)
    url = URL.create(
        "postgresql+psycopg2",
        username=values["POSTGRES_USER"],
        password=values["POSTGRES_PASSWORD"],
        host=values["POSTGRES_HOST"],
        port=int(values["POSTGRES_PORT"] or 0),
        database=values["POSTGRES_DB"],
    )
    with writing_engine(url).connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


@pytest.mark.usefixtures("home")
def test_every_step_of_the_page_works(home: Path, tmp_path: Path) -> None:
    blocks = list(page(ROOT / "docs" / "your-own-events.md").blocks)
    by_language: dict[str, list[Block]] = {}
    for block in blocks:
        by_language.setdefault(block.language, []).append(block)
    (schema,), (declaration, more) = by_language["json"], by_language["toml"]
    check, up, look, plan, down = by_language["sh"]
    (select,) = by_language["sql"]
    shop = tmp_path / FOLDER
    shop.mkdir()
    (shop / "impression.avsc").write_text(schema.code, encoding="utf-8")
    (shop / "stream.toml").write_text(declaration.code, encoding="utf-8")
    assert "dimension   campaign (Campaign)" in _run(check.code, tmp_path, home)
    try:
        _run(up.code, tmp_path, home)
        deadline = time.monotonic() + COUNTED_WITHIN_S
        while not (found := _rows(home, select.code.strip().rstrip(";"))):
            assert time.monotonic() < deadline, "no window was counted"
            time.sleep(1)
        _, impressions, clicks, _, campaigns, countries, cost = found[-1]
        assert isinstance(impressions, int)
        assert isinstance(clicks, int)
        assert 0 < clicks < impressions
        assert campaigns
        assert countries
        assert cost is not None
        assert "CTR_STREAM" in _run(look.code, tmp_path, home)
        with (shop / "stream.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n{more.code}")
        planned = _run(plan.code, tmp_path, home)
        assert "split by is_app too: column is_app, rates is_app_ctr" in planned
        assert "run the job cut_over_code" in planned
    finally:
        _run(down.code, tmp_path, home)
