"""The uids of the operators that SQL is planned into: those that hold state have fixed ones.

Flink's planner numbers its nodes and makes uids of the numbers, so that one more statement would give an
operator's state to another one, or to none. The numbers here are those that version 0.1 had: its savepoints
name their state by them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject

UID_FORMAT: Final = "<id>_<transformation>"
"""As the planner makes them: number of the node, kind of the operator."""

PLANNED: Final = re.compile(r"\d+_(?P<kind>[a-z][a-z-]*)")
"""A uid of that format."""

STATELESS: Final = frozenset(
    {"calc", "constraint-validator", "exchange", "external-datastream", "local-window-aggregate"}
)
"""Kinds of operators without state: whatever uid they have, no savepoint holds anything under it."""

WINDOW: Final = re.compile(r"GlobalWindowAggregate\(.*window=\[TUMBLE\(.*size=\[(?P<size>\d+ min)\]")
"""In the description of an operator that keeps open windows."""

SINK: Final = re.compile(r"(Sink: )?(?P<table>\w+)\[\d+\]")
"""The name of a table's sink."""

STATEFUL: Final = {
    "windows of 1 min": "5_global-window-aggregate",
    "windows of 5 min": "11_global-window-aggregate",
    "table counts_1min": "7_sink",
    "table counts_5min": "13_sink",
    "table ledger": "16_sink",
    "table ctr_windows": "18_sink",
}
"""What an operator holds state of, and the end of its uid. A new one gets any name, and keeps it."""

KEY_BY: Final = "_stream_key_by_map_operator"
"""The operator by which pyflink makes the keys of its one `key_by`: it takes no uid from Python."""


def pin(java_env: JavaObject, prefix: str) -> None:
    """Give the operators of all planned statements their fixed uids.

    Args:
        java_env: the environment that they have been attached to.
        prefix: begins the uids of the planner and of the operators alike.

    Raises:
        ValueError: an operator may hold state and has no fixed uid; or one of `STATEFUL` is not there.
    """
    missing = dict(STATEFUL)
    for operator in _operators(java_env):
        if operator.getName() == KEY_BY:
            operator.setUid(f"{prefix}_key-by-window")
        planned = PLANNED.fullmatch((operator.getUid() or "").removeprefix(f"{prefix}_"))
        if planned is None or planned["kind"] in STATELESS:
            continue
        subject = _subject(operator)
        if subject not in missing:
            raise ValueError(
                f"{operator.getName()} ({subject or operator.getDescription()}) has no uid of its own: "
                "name it in STATEFUL of flink/uids.py, or its kind in STATELESS if it holds no state"
            )
        operator.setUid(f"{prefix}_{missing.pop(subject)}")
    if missing:
        raise ValueError(f"no operator is the one of {', '.join(missing)}: its state would be lost")


def _operators(java_env: JavaObject) -> list[JavaObject]:
    """Every operator once, from the sinks on."""
    found: dict[int, JavaObject] = {}
    for last in java_env.getTransformations():
        for each in last.getTransitivePredecessors():
            found[each.getId()] = each
    return list(found.values())


def _subject(operator: JavaObject) -> str | None:
    """What an operator holds state of, as `STATEFUL` names it."""
    if window := WINDOW.search(operator.getDescription() or ""):
        return f"windows of {window['size']}"
    if sink := SINK.match(operator.getName()):
        return f"table {sink['table']}"
    return None
