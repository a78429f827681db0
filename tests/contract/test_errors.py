"""Errors are caught by what they mean."""

from __future__ import annotations

import pytest

from contract import errors
from contract.errors import CtrError, Unavailable

CLASSES = [each for each in vars(errors).values() if isinstance(each, type)]


def test_every_error_is_in_the_tree_and_says_what_it_means() -> None:
    assert len(CLASSES) > 15
    for each in CLASSES:
        assert issubclass(each, CtrError)
        assert each.__doc__
        assert each.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("service", ["Kafka", "Registry", "Flink", "Warehouse", "Cache"])
def test_any_service_may_be_unavailable(service: str) -> None:
    assert issubclass(getattr(errors, f"{service}Unavailable"), Unavailable)
