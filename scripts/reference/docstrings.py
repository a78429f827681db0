"""Docstrings below attributes, which Python itself does not keep."""

from __future__ import annotations

import ast
import inspect
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def attribute_docstrings(owner: type | ModuleType) -> dict[str, str]:
    """Text below each attribute of a class (and of its bases), or of a module, by the attribute's name.

    A docstring below several assignments in a row belongs to the last.
    """
    found: dict[str, str] = {}
    for each in reversed(inspect.getmro(owner)) if isinstance(owner, type) else [owner]:
        if isinstance(each, type) and each.__module__ == "builtins":
            continue
        try:
            tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(each)))
        except (OSError, TypeError):
            continue
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else tree.body
        found |= _documented(body)
    return found


def _documented(body: list[ast.stmt]) -> dict[str, str]:
    documented = {}
    for attribute, below in itertools.pairwise(body):
        if (
            isinstance(attribute, ast.AnnAssign)
            and isinstance(attribute.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            documented[attribute.target.id] = inspect.cleandoc(below.value.value)
    return documented
