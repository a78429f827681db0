"""What the pages tell people to type works on real services: quick commands run, SQL is planned."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from ctr_platform.defs.kafka.topics import ensure_topics
from ctr_platform.defs.registry.subject import ensure_subject
from tests.support.command_blocks import commands_of
from tests.support.documents import ROOT, Block, all_pages
from tests.support.stores import writing_engine

if TYPE_CHECKING:
    from sqlalchemy import URL

    from tests.support.stack import RunningStack

WITHIN_S: Final = 120

OF_ANOTHER_STREAM: Final = ROOT / "docs" / "your-own-events.md"
"""Its statement runs in a test of its own."""

QUICK: Final = re.compile(
    r"(status|env|logs(?!.* -f)|dead-letters (list|sample)|produce(?!.*--deterministic))\b.*"
)
"""Commands of `ctr` that end soon by themselves and change nothing but the test's own topics.

Deterministic traffic takes whole minutes: tests/integration has it.
"""

SHORTER: Final = {"--duration": "1s", "--count": "200", "--rate": "200"}


def sql_blocks() -> list[Block]:
    return [
        block
        for page in all_pages()
        if page.path != OF_ANOTHER_STREAM
        for block in page.blocks
        if block.language == "sql"
    ]


def statements(code: str) -> list[str]:
    return [each.strip() for each in code.split(";") if each.strip()]


def plan(url: URL, statement: str) -> None:
    with writing_engine(url).connect() as connection:
        connection.execute(text(f"EXPLAIN {statement}"))


def quick_commands() -> list[str]:
    found = {
        " ".join(command[1:])
        for page in all_pages()
        for block in page.blocks
        if block.language == "sh"
        for command in commands_of(block.code)
        if command[0] in ("ctr", ".venv/bin/ctr") and QUICK.fullmatch(" ".join(command[1:]))
    }
    return sorted(found)


def shortened(command: str) -> list[str]:
    words = command.split()
    return [SHORTER.get(before, word) for before, word in zip(["", *words], words, strict=False)]


@pytest.mark.parametrize("statement", [each for block in sql_blocks() for each in statements(block.code)])
def test_statements_of_the_pages_are_planned(url: URL, statement: str) -> None:
    plan(url, statement)


@pytest.mark.parametrize(
    "statement", ["select nothing from quality.ledger", "select * from quality.job_orders"]
)
def test_a_planted_statement_is_not(url: URL, statement: str) -> None:
    with pytest.raises(ProgrammingError):
        plan(url, statement)


def test_quick_commands_of_the_pages_run(brokers: RunningStack) -> None:
    ensure_topics(brokers.settings)
    ensure_subject(brokers.settings)
    commands = quick_commands()
    assert {"status", "env", "dead-letters list"} <= {*commands}
    assert any(command.startswith("produce --count") for command in commands)
    for command in commands:
        done = subprocess.run(
            [str(ROOT / ".venv/bin/ctr"), *shortened(command)],
            env=brokers.environment,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, f"ctr {command}: {done.stdout}{done.stderr}"
