"""A text means a value of the schema's types, or it is said what is wrong with it."""

from __future__ import annotations

import pytest

from contract.stream.event_fields import EventField
from contract.stream.values import fits, value_of

ENUM = EventField("enum", symbols=("VIEW", "CLICK"))


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (EventField("string"), "", ""),
        (EventField("int"), "-2147483648", -(2**31)),
        (EventField("int"), "1005.0", 1005),
        (EventField("long"), "9223372036854775807", 2**63 - 1),
        (EventField("boolean"), "True", True),
        (EventField("boolean"), "0", False),
        (ENUM, "VIEW", "VIEW"),
    ],
)
def test_a_text_is_a_value_of_its_field(field: EventField, text: str, value: object) -> None:
    found = value_of(field, text)
    assert (found, type(found)) == (value, type(value))
    assert fits(field, found)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        (EventField("int"), "2147483648", "'2147483648', not a whole number of 32 bits"),
        (EventField("int"), "1005.5", "not a whole number"),
        (EventField("int"), "1_005", "not a whole number"),
        (EventField("int"), "\u0661", "not a whole number"),
        (EventField("long"), "9223372036854775808", "64 bits"),
        (EventField("boolean"), "yes", "'yes', not true or false"),
        (ENUM, "view", "'view', not one of VIEW, CLICK"),
    ],
)
def test_another_text_is_refused(field: EventField, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        value_of(field, text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (EventField("int"), True),
        (EventField("int"), 2**31),
        (EventField("boolean"), 1),
        (EventField("string"), 1),
        (ENUM, "view"),
    ],
)
def test_a_value_of_another_type_does_not_fit(field: EventField, value: bool | int | str) -> None:  # noqa: FBT001
    assert not fits(field, value)
