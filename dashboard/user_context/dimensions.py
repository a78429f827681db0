"""The stream's dimensions as readers meet them: titles in their language, short names in addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contract.stream.load import DeclaredStream
    from dashboard.user_context.formatting import UserContext
    from warehouse.windows import Value


@dataclass(frozen=True)
class ShownDimension:
    """A dimension, as it is shown."""

    column: str
    """In the warehouse."""

    titles: Mapping[str, str]
    """By language; there is always an English one."""

    is_number: bool
    """Whether its values are numbers, which need its title beside them."""

    parameter: str
    """Name of its chosen values in the page's address."""

    def title(self, user: UserContext) -> str:
        """What a reader calls it."""
        return self.titles.get(user.language, self.titles["en"])

    def value(self, user: UserContext, value: object) -> str:
        """What a reader calls one of its values."""
        return f"{self.title(user)} {value}" if self.is_number else str(value)


def shown_dimensions(stream: DeclaredStream) -> tuple[ShownDimension, ...]:
    """Those of a stream, in its order; in addresses they have the names of their rates, without `_ctr`."""
    return tuple(
        ShownDimension(
            column=each.column_name,
            titles=each.title,
            is_number=(found := stream.fields[each.field]) is not None and found.kind == "int",
            parameter=each.rates_name.removesuffix("_ctr"),
        )
        for each in stream.declaration.dimensions
    )


def in_order(values: Iterable[Value]) -> list[Value]:
    """Values of one dimension, which are all texts or all numbers."""
    return sorted(values, key=lambda each: (isinstance(each, str), each))
