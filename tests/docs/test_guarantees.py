"""Each guarantee names a test that is there."""

from __future__ import annotations

import re

from tests.support.documents import ROOT

GUARANTEE = re.compile(r"^\| (?!guarantee)[^|]+ \| `(test_\w+)` \|$", re.MULTILINE)
ROW = re.compile(r"^\| (?!guarantee)[^|-][^|]*\|.*\|$", re.MULTILINE)
PAGE = ROOT / "docs" / "guarantees.md"


def test_each_has_a_test() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = GUARANTEE.findall(page)
    assert len(named) == len(ROW.findall(page)) > 20
    defined = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^\s*def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert set(named) <= defined


def test_none_is_named_twice() -> None:
    named = GUARANTEE.findall(PAGE.read_text(encoding="utf-8"))
    assert sorted(set(named)) == sorted(named)
