"""The stream's dimensions as readers meet them: titles in their language, short names in addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
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

    names: Mapping[str, str] = field(default_factory=dict)
    """Of its values as text, those that have one. Like the values they are text of others."""

    def title(self, user: UserContext) -> str:
        """What a reader calls it."""
        return user.titled(self.titles)

    def name(self, value: object) -> str:
        """What one of its values is called; the value, where it has no name."""
        name = self.names.get(str(value), "")
        return name if name.strip() else str(value)

    def named(self, value: object) -> str:
        """Its name with the value behind it, such as `News (50e219e0)`; the value alone, without a name."""
        name = self.name(value)
        return name if name == str(value) else f"{name} ({value})"

    def value(self, user: UserContext, value: object) -> str:
        """What a reader calls one of its values where no title is near: a number has it before it."""
        return self._titled(user, value, self.name(value))

    def named_value(self, user: UserContext, value: object) -> str:
        """The same, a name with the value behind it."""
        return self._titled(user, value, self.named(value))

    def _titled(self, user: UserContext, value: object, shown: str) -> str:
        return f"{self.title(user)} {shown}" if self.is_number and shown == str(value) else shown


def shown_dimensions(
    stream: DeclaredStream, names: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[ShownDimension, ...]:
    """Those of a stream, in its order; in addresses they have the names of their rates, without `_ctr`.

    Args:
        stream: that is counted.
        names: of values, by the dimension's column.
    """
    return tuple(
        ShownDimension(
            column=each.column_name,
            titles=each.title,
            is_number=stream.is_number(each),
            parameter=each.rates_name.removesuffix("_ctr"),
            names=(names or {}).get(each.column_name, {}),
        )
        for each in stream.declaration.dimensions
    )


def in_order(values: Iterable[Value]) -> list[Value]:
    """Values of one dimension, which are all texts or all numbers."""
    return sorted(values, key=lambda each: (isinstance(each, str), each))
