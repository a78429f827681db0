"""Planted bugs: small changes of the project's own text, to see whether the tests notice them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A change of one file."""

    name: str
    """What is wrong with it."""

    rule: str
    """What of the contract it breaks."""

    file: str
    """Path within the sources."""

    old: str
    new: str

    def text(self, sources: Path) -> str:
        """Return what its file holds with this bug in it.

        Raises:
            ValueError: the text that it changes does not occur exactly once: the list is out of date.
        """
        text = (sources / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(
                f"mutant {self.name!r}: {self.file} has {self.old!r} {text.count(self.old)} times, not once"
            )
        return text.replace(self.old, self.new)
