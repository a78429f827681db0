"""Fixtures for the whole suite."""

from __future__ import annotations

import signal
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import hypothesis
import pytest

from ctr_platform.defs.flink_job import submission
from ctr_platform.devstack.service_list import DATA_SERVICES
from tests.support.isolation import own
from tests.support.port_ranges import reserve_ports
from tests.support.stack import SharedStack, fresh_home, name_this_run, remove_what_this_run_left
from tests.support.submitter import in_place_of_processes, submitting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.settings import Settings
    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--drill-report",
        type=Path,
        metavar="FILE",
        help="page into which drills write what they have shown; without it, they only print that",
    )
    parser.addoption(
        "--attack-rate",
        type=float,
        default=2_000,
        metavar="N",
        help="good events/s beside the attack list",
    )


def pytest_configure(config: pytest.Config) -> None:
    """End like Ctrl-C when told to end, so that fixtures stop what they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # How long an example takes says more about the machine than about the code.
    hypothesis.settings.register_profile("ctr", deadline=None)
    hypothesis.settings.load_profile("ctr")
    if not _is_worker(config):
        name_this_run()
    reserve_ports()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind, whatever has become of the processes of this run."""
    if not _is_worker(config):
        remove_what_this_run_left()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in which order the tests ran: the quiet header leaves it out."""
    seed = config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"order: --randomly-seed={seed}")


_MARKERS: Final = {"shared": "stack", "home": "stack", "browser": "browser"}
"""Fixture -> marker of the tests that use it, directly or not."""


_BEGUN_FIRST: Final = ("warm_submissions", "submitter", "shared", "home")
"""Fixtures of the files that take long: begun last, one of them would keep one process busy alone."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark tests by what they use; put the files with the slow ones first, in whatever order they are."""
    used: dict[Path, set[str]] = defaultdict(set)
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        used[item.path] |= fixtures
        for fixture in fixtures & _MARKERS.keys():
            item.add_marker(_MARKERS[fixture])

    def turn(item: pytest.Item) -> int:
        turns = (number for number, fixture in enumerate(_BEGUN_FIRST) if fixture in used[item.path])
        return next(turns, len(_BEGUN_FIRST))

    yield
    items.sort(key=turn)


@pytest.fixture(scope="session")
def shared() -> Iterator[SharedStack]:
    """The stack that all tests of this process share, without a service that no test has needed yet."""
    with fresh_home() as folder:
        yield SharedStack(folder)


@pytest.fixture(scope="session")
def stack(shared: SharedStack) -> RunningStack:
    """Postgres, Redis, Kafka, registry and a Flink cluster; put back what you stop."""
    return shared.need(*DATA_SERVICES)


@pytest.fixture
def brokers(shared: SharedStack) -> Iterator[RunningStack]:
    """Kafka and a registry without any topic of the platform."""
    with own(shared.need("kafka", "registry"), database=None) as made:
        yield made


@pytest.fixture
def kafka_settings(brokers: RunningStack) -> Settings:
    """Settings of a Kafka without any topic of the platform."""
    return brokers.settings


@pytest.fixture(scope="module")
def stores(shared: SharedStack) -> Iterator[RunningStack]:
    """Postgres, with the warehouse's tables, and Redis."""
    with own(shared.need("postgres", "redis")) as made:
        yield made


@pytest.fixture(scope="session")
def submitter(shared: SharedStack) -> Iterator[Submitter]:
    """A warm process that submits jobs."""
    del shared
    with submitting() as made:
        yield made


@pytest.fixture(scope="module")
def warm_submissions(submitter: Submitter) -> Iterator[Submitter]:
    """Let the platform's own operations submit by the warm process, where the code is what is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submission, "_run_submit", in_place_of_processes(submitter))
        yield submitter


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty `CTR_HOME` for tests of starting and stopping; whatever runs there is stopped."""
    with fresh_home() as folder:
        yield folder
