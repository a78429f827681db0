"""The stream's dimensions as readers meet them: titles in their language, short names in addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.stream.load import shipped_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contract.stream.declaration import Dimension
    from dashboard.user_context.formatting import UserContext
    from warehouse.windows import Value


def declared_dimensions() -> Sequence[Dimension]:
    """Those of the stream, in its order."""
    return shipped_stream().declaration.dimensions


def title_of(user: UserContext, dimension: Dimension) -> str:
    """What a reader calls a dimension."""
    return dimension.title.get(user.language, dimension.title["en"])


def is_number(dimension: Dimension) -> bool:
    """Whether its values are numbers, which need its title beside them."""
    field = shipped_stream().fields[dimension.field]
    return field is not None and field.kind == "int"


def value_of(user: UserContext, dimension: Dimension, value: object) -> str:
    """What a reader calls one of its values."""
    return f"{title_of(user, dimension)} {value}" if is_number(dimension) else str(value)


def in_order(values: Iterable[Value]) -> list[Value]:
    """Values of one dimension, which are all texts or all numbers."""
    return sorted(values, key=lambda each: (isinstance(each, str), each))


def parameter_of(dimension: Dimension) -> str:
    """Name of its chosen values in the page's address: that of its rates, without their common end."""
    return dimension.rates_name.removesuffix("_ctr")
