"""Fixtures for tests that follow records through the whole pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pipeline import Pipeline, pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter


@pytest.fixture
def job(stack: RunningStack, warm_submissions: Submitter) -> Iterator[Pipeline]:
    """Topics, stores and a day of its own for one test; no job runs yet."""
    with pipeline(stack, warm_submissions) as made:
        yield made
