"""What a service is: data. How it is run is `supervise`'s and `lifecycle`'s business."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contract.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ctr_platform.devstack.paths import StackPaths

PROJECT: Final = Path(__file__).parents[2]
"""Where the packages are importable from."""


@dataclass(frozen=True)
class Context:
    """What the descriptions of one stack's services are made from."""

    paths: StackPaths
    ports: Mapping[str, int]
    password: str
    """Postgres'."""
    artifacts: Mapping[str, Sequence[Path]]
    """Local files of the fetched groups."""
    environment: Mapping[str, str]
    """The contract's variables, which every service sees."""

    def tmp(self, service: str) -> Path:
        """Temporary folder of one service, made now."""
        folder = self.paths.tmp / service
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _nothing() -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Service:
    """One supervised process."""

    name: str
    command: tuple[str, ...]
    probe: Callable[[], bool]
    """Whether it answers; may raise `OSError` or a client's error while it does not. Bounded in time."""
    address: str
    """Where it is reached, for people."""
    ready_within_s: float = 180
    """Only what hangs takes this long: a service that ends is noticed at once. Kafka starts in 3 s on two
    free cores and was seen to need 80 s where nine processes fought for each."""
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    ports: tuple[str, ...] = ()
    """Names of the fixed ports that it listens on."""
    after: tuple[str, ...] = ()
    """Services that must be ready before this one starts."""
    prepare: Callable[[], None] = _nothing
    """Writes files, formats storage: before the start, every time."""
    post_start: Callable[[], None] = _nothing
    """Runs after the first answer and before those that depend on it start."""
    user: str | None = None
    """Account to run as, where not the caller's."""
    stop_signal: str = "TERM"
    stop_within_s: int = 20
    """Then it is killed."""
    settles_after_s: int = 1
    """An exit before this counts as a failed start, and the next one waits longer."""
    programs: tuple[Path, ...] = ()
    """Binaries whose shared libraries must be there."""


def python_environment(context: Context, name: str) -> dict[str, str]:
    """Variables of every Python process of the platform."""
    return {"PYTHONPATH": str(PROJECT), "TMPDIR": str(context.tmp(name)), "PYTHONUNBUFFERED": "1"}


def with_dependencies(services: Sequence[Service], names: Iterable[str]) -> list[Service]:
    """Services of these names and all that they need, in starting order.

    Raises:
        CtrError: there is no service of such a name.
    """
    by_name = {service.name: service for service in services}
    wanted: dict[str, Service] = {}

    def add(name: str) -> None:
        if name not in by_name:
            raise UsageError(f"no service {name!r}: there are {', '.join(by_name)}")
        for needed in by_name[name].after:
            add(needed)
        wanted.setdefault(name, by_name[name])

    for name in names:
        add(name)
    return [service for service in services if service.name in wanted]
