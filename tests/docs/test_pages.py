"""What the pages name is there: files, headings, commands, names; and their words are the field's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contract.settings import Settings
from ctr_platform.definitions import defs
from tests.support.command_blocks import problems, span_problems
from tests.support.documents import ROOT, Page, all_pages, dead_links, dead_paths, unknown_names
from tests.support.words import ALLOWED, own_words

PAGES = all_pages()
WRITTEN = [page for page in PAGES if page.path.name != "CHANGELOG.md"]
"""A changelog speaks of what was."""

PROGRAMS = ("sh", "sql", "python", "yaml", "toml", "json", "")
"""Languages of blocks; none: a picture or an output."""

SOURCES = (".py", ".java", ".sql", ".lua", ".toml", ".yaml", ".avsc", ".ambr", ".jinja", ".sh", ".txt", "")
FOLDERS = (
    *("ctr_platform", "contract", "flink", "warehouse", "dashboard"),
    *("docker", "scripts", "examples", "benchmarks", "tests"),
)


def name_of(page: Page) -> str:
    return str(page.path.relative_to(ROOT))


@pytest.fixture(scope="module")
def known_names() -> set[str]:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [ROOT / "Makefile", ROOT / "pyproject.toml"]
    text = "\n".join(
        path.read_text(encoding="utf-8", errors="ignore") for path in files if path.suffix in SOURCES
    )
    variables = {name.upper() for name in Settings.model_fields}
    ops = {"__".join(key.path) for key in defs().resolve_asset_graph().get_all_asset_keys()}
    return {*re.findall(r"\w+", text), *(path.stem for path in files), *variables, *ops}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Page) -> None:
    assert dead_links(page) == []


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_paths_are_there(page: Page) -> None:
    assert dead_paths(page) == []


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_commands_would_be_understood(page: Page) -> None:
    blocks = [block for block in page.blocks if block.language == "sh"]
    assert [found for block in blocks for found in problems(block.code)] == []
    assert [found for span in page.code_spans for found in span_problems(span)] == []


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_blocks_say_their_language_and_python_compiles(page: Page) -> None:
    assert {block.language for block in page.blocks} <= {*PROGRAMS}
    for block in page.blocks:
        if block.language == "python":
            compile(block.code, f"{page.path}:{block.line}", "exec")


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_names_are_those_of_the_code(page: Page, known_names: set[str]) -> None:
    # A page on another stream has names of its own, which it declares itself.
    declared = {
        name
        for block in page.blocks
        if block.language == "toml"
        for word in re.findall(r"\w+", block.code)
        for name in (word, f"{word}_ctr")
    }
    assert unknown_names(page, known_names | declared) == []


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_the_words_are_the_fields(page: Page) -> None:
    assert own_words(page, ALLOWED) == []


def test_what_is_allowed_is_used() -> None:
    for name, word in ALLOWED:
        [page] = [page for page in PAGES if name_of(page) == name]
        assert word in [found.lower() for found in own_words(page, {})]


class TestAPlantedGapIsFound:
    @pytest.mark.parametrize("link", ["nowhere.md", "README.md#no-such-heading", "docs/images/none.png"])
    def test_in_the_links(self, link: str) -> None:
        page = Page(ROOT / "PLANTED.md", f"[a](README.md), [b]({link}), ![c]({link}), [d](https://a.org/b)")
        assert dead_links(page) == [link, link]

    def test_in_the_paths(self) -> None:
        page = Page(Path("PLANTED.md"), "`docs/none.md`, `contract/settings.py`, `flink/ctr_windows`, `a/b`")
        assert dead_paths(page) == ["docs/none.md"]

    @pytest.mark.parametrize(
        ("command", "complaint"),
        [
            ("ctr status --colour", "No such option"),
            ("ctr frobnicate", "No such command"),
            ("ctr dead-letters sample --limit 0", "Invalid value"),
            ('eval "$(ctr enw)"', "No such command"),
            ("make tset", "no target"),
            (".venv/bin/pytest tests/docs/test_pages.py::test_nothing_of_that_name", "has no"),
            (".venv/bin/python -m benchmarks.nothing", "no module"),
            ("docker compose --file docker/none.yaml up", "not there"),
            ("docker compose exec dagster-code ctr status --colour", "No such option"),
            ("true && scripts/none", "no command"),
        ],
    )
    def test_in_the_commands(self, command: str, complaint: str) -> None:
        assert any(complaint in found for found in problems(f"{command}   # comment"))

    def test_in_the_commands_of_a_line(self) -> None:
        assert span_problems("ctr status --colour")
        assert span_problems("ctr produce --count ...") == []
        assert span_problems("ctr dead-letters show") == []

    def test_in_the_names(self, known_names: set[str]) -> None:
        invented = "KEEP_JOB_WALKING".lower()  # as it stands in no file, this one neither
        page = Page(Path("PLANTED.md"), f"`keep_job_running` and `{invented}`\n```sql\nselect a_b\n```")
        assert unknown_names(page, known_names - {"a_b"}) == [invented, "a_b"]

    def test_in_the_words(self) -> None:
        page = Page(Path("PLANTED.md"), "The fate of a letter; a dead-letter message; `fate` in code.")
        assert own_words(page, {}) == ["fate", "letter"]
