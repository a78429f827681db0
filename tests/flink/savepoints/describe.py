"""Says what a savepoint holds: `python -m tests.flink.savepoints.describe FOLDER`.

A process of its own, since pyflink keeps its JVM until Python ends. Prints, by the uid of each operator that
has any state, the names of its states: a later job finds them by these names alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pyflink.java_gateway import get_gateway


def states(savepoint: Path) -> dict[str, list[str]]:
    """The names of the states, by uid."""
    jvm = get_gateway().jvm
    runtime = jvm.org.apache.flink.runtime
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    stream = jvm.java.io.DataInputStream(jvm.java.io.FileInputStream(str(savepoint / "_metadata")))
    metadata = runtime.checkpoint.Checkpoints.loadCheckpointMetadata(stream, loader, str(savepoint))
    found: dict[str, set[str]] = {}
    for operator in metadata.getOperatorStates().toArray():
        names = found.setdefault(operator.getOperatorUid().orElse(""), set())
        if operator.getCoordinatorState() is not None:
            names.add("(coordinator)")
        for subtask in operator.getStates().toArray():
            for handle in subtask.getManagedOperatorState().toArray():
                names.update(handle.getStateNameToPartitionOffsets().keySet().toArray())
            for handle in subtask.getManagedKeyedState().toArray():
                names.update(_keyed(handle, loader))
            assert subtask.getRawOperatorState().isEmpty()
            names.update("(raw keyed)" for _ in subtask.getRawKeyedState().toArray())
    return {uid: sorted(names) for uid, names in sorted(found.items()) if names}


def _keyed(handle: Any, loader: Any) -> set[str]:
    """The names of keyed states, timers among them, from the head of their file."""
    jvm = get_gateway().jvm
    view = jvm.org.apache.flink.core.memory.DataInputViewStreamWrapper(handle.openInputStream())
    head = jvm.org.apache.flink.runtime.state.KeyedBackendSerializationProxy(loader)
    head.read(view)
    return {each.getName() for each in head.getStateMetaInfoSnapshots().toArray()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(states(Path(sys.argv[1])), indent=2) + "\n")
