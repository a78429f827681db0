"""The faults of a soak, as data, and a plan of them by a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctr_platform.devstack.service_list import DATA_SERVICES
from tests.drills.links import LINKS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PLATFORM: Final = ("dagster-daemon", "dagster-code", "follower")
"""What looks after the job."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong at one place for some time."""

    kind: str
    target: str
    seconds: int
    """How long it lasts; 0: a moment."""

    @property
    def title(self) -> str:
        """What a person calls it."""
        lasting = f", {self.seconds} s" if self.seconds else ""
        return f"{KINDS[self.kind].title.format(target=self.target)}{lasting}"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to go wrong, and where and how long it may."""

    title: str
    targets: tuple[str, ...]
    seconds: range = range(1)
    needs: str | None = None
    """What there must be on the machine: `disks` or `links`."""


KINDS: Final = {
    "stall": Kind(title="{target} stalled (SIGSTOP)", targets=DATA_SERVICES, seconds=range(5, 41)),
    "kill": Kind(title="`kill -9` {target}", targets=(*DATA_SERVICES, *PLATFORM, "watchdog")),
    "full_disk": Kind(
        title="disk of {target} full",
        targets=("checkpoints", "postgres", "redis", "kafka"),
        seconds=range(10, 31),
        needs="disks",
    ),
    "slow_link": Kind(
        title="link to {target} slow by 0.5 s", targets=LINKS, seconds=range(10, 41), needs="links"
    ),
    "hushed_link": Kind(
        title="link to {target} lets nothing through", targets=LINKS, seconds=range(5, 41), needs="links"
    ),
    "cut_link": Kind(title="link to {target} cut", targets=LINKS, seconds=range(5, 41), needs="links"),
    "clock": Kind(title="a producer's clock {target}", targets=("55 s ahead", "1 h ahead", "2 h behind")),
    "immediate_restart": Kind(
        title="{target} restarted at once, three times in commits", targets=("postgres",)
    ),
    "second_job": Kind(title="{target} submitted twice", targets=("the job",)),
}


def plan(
    seed: int, *, available: Collection[str] = ("disks", "links"), only: Collection[str] = ()
) -> Iterator[Fault]:
    """Faults without end, the same for the same arguments: every kind once, in another order each round.

    Args:
        seed: of the order, the targets and the durations.
        available: what `Kind.needs` asks for; the same seed has other faults on another machine.
        only: keys of `KINDS`; all by default.
    """
    rng = random.Random(seed)
    chosen = [
        name
        for name, kind in KINDS.items()
        if (not only or name in only) and (kind.needs is None or kind.needs in available)
    ]
    while True:
        for name in rng.sample(chosen, len(chosen)):
            kind = KINDS[name]
            yield Fault(kind=name, target=rng.choice(kind.targets), seconds=rng.choice(kind.seconds))
