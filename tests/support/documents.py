"""The project's Markdown pages as a test sees them: headings, links, blocks of code, prose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]
REFERENCE: Final = ROOT / "docs" / "reference"
RUNBOOK: Final = ROOT / "docs" / "runbook.md"

_TOP_FOLDERS: Final = frozenset(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != ".")


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    language: str
    code: str
    line: int


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path
    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        return MarkdownIt("commonmark").enable("table").parse(self.text)

    @cached_property
    def inline(self) -> list[Token]:
        return [child for token in self.tokens for child in token.children or ()]

    @property
    def headings(self) -> list[str]:
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        return [_plain(below) for token, below in pairs if token.type == "heading_open"]

    @property
    def anchors(self) -> set[str]:
        return {slug(heading) for heading in self.headings}

    @property
    def links(self) -> list[str]:
        hrefs = [token.attrGet("href") for token in self.inline if token.type == "link_open"]
        images = [token.attrGet("src") for token in self.inline if token.type == "image"]
        return [str(each) for each in (*hrefs, *images)]

    @property
    def blocks(self) -> list[Block]:
        return [
            Block(token.info.strip(), token.content, (token.map or [0])[0] + 1)
            for token in self.tokens
            if token.type == "fence"
        ]

    @property
    def code_spans(self) -> list[str]:
        return [token.content for token in self.inline if token.type == "code_inline"]

    @property
    def prose(self) -> str:
        """What is neither code nor an address."""
        return " ".join(token.content for token in self.inline if token.type in ("text", "image"))


def page(path: Path) -> Page:
    return Page(path, path.read_text(encoding="utf-8"))


def all_pages() -> list[Page]:
    folders = (path for name in ("docs", "examples") for path in (ROOT / name).rglob("*.md"))
    return [page(path) for path in sorted([*ROOT.glob("*.md"), *folders])]


def slug(heading: str) -> str:
    """Anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def dead_links(source: Page) -> list[str]:
    """Links to files and headings that are not there. Those of the web are not followed."""
    return [
        link
        for link in source.links
        if re.match(r"[a-z]+:", link) is None and not _leads_somewhere(source, link)
    ]


def _leads_somewhere(source: Page, link: str) -> bool:
    name, _, anchor = unquote(link).partition("#")
    target = source.path if not name else (source.path.parent / name)
    if not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in page(target).anchors)


def dead_paths(source: Page) -> list[str]:
    """Paths of the project, named in code spans, that are neither there nor made by it nor keys of assets."""
    made = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    elsewhere = {*made, *page(REFERENCE / "dagster.md").code_spans}
    return [
        span
        for span in source.code_spans
        if _is_path(span) and span not in elsewhere and not list(ROOT.glob(span.rstrip("/")))
    ]


def _is_path(span: str) -> bool:
    shaped = re.fullmatch(r"([\w.*-]+)(/[\w.*-]+)+/?", span)
    return shaped is not None and shaped[1] in _TOP_FOLDERS


def entries(source: Page) -> dict[str, str]:
    """Text below each heading of the third level, by heading."""
    found = re.split(r"^### (.+)$", source.text, flags=re.MULTILINE)
    return {
        name.strip(): re.split(r"^## ", body, flags=re.MULTILINE)[0]
        for name, body in zip(found[1::2], found[2::2], strict=True)
    }


def lacking_parts(entry: str, parts: tuple[str, ...]) -> list[str]:
    """Parts, written in bold at the begin of a paragraph, that an entry lacks or leaves empty."""
    return [part for part in parts if re.search(rf"^\*\*{part}\*\* \S.{{10}}", entry, re.MULTILINE) is None]


def unknown_names(source: Page, known: set[str]) -> list[str]:
    """Names in code spans and SQL that no file of the project holds: renamed since, or misspelt."""
    return [name for name in _names(source) if name not in known]


def _names(source: Page) -> Iterator[str]:
    sql = [block.code for block in source.blocks if block.language == "sql"]
    for text in (*source.code_spans, *sql):
        yield from re.findall(r"\b[A-Za-z]\w*_\w+\b|\b[a-z]+[A-Z]\w+\b", text)


def _plain(token: Token) -> str:
    return "".join(child.content for child in token.children or ())
