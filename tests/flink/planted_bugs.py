"""Bugs for the simulator of the time logic to find; the text of each lies in the ingest stage's sources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.support.java_tests import build_mutant, run
from tests.support.mutants import Mutant

if TYPE_CHECKING:
    from pathlib import Path

SIMULATION_S: Final = 3_600
"""A million schedules take half an hour of one core."""

FOUND: Final = re.compile(r"seed (\d+): ")


def _bug(name: str, rule: str, file: str, old: str, new: str = "") -> Mutant:
    return Mutant(name=name, rule=rule, file=f"ctr/ingest/{file}.java", old=old, new=new)


LATE: Final = "late: the window's end is at or before the watermark"
IDLE: Final = "idle: no valid and timely record for 15 s"
STRAGGLER: Final = "straggler: read to its end, more than 5 min behind the newest"
TOPIC_IDLE: Final = "topic idle: all read to their end, never ahead of the wall clock less 10 s"
RESTORE: Final = "a restore changes no outcome by content, and closes nothing that was open"
ONE_OUTCOME: Final = "exactly one outcome: never in a dead letter and in a window"
CAP: Final = "the first N segments in offset order keep their names"
LEDGER: Final = "records read = counted + late + dead, per offset range"
FINAL: Final = "a closed window has all of its counts"

PLANTED: Final = (
    _bug(
        "late by content, off by 1 ms", LATE, "Accounting", "windowEnd <= watermark", "windowEnd < watermark"
    ),
    _bug(
        "late by the job watermark, off by 1 ms",
        LATE,
        "Accounting",
        "windowEnd <= jobWatermarkMs",
        "windowEnd < jobWatermarkMs",
    ),
    _bug(
        "a producer's clock moves the watermark",
        "partition watermark: min(event time, broker's record time)",
        "PartitionProgress",
        "Math.max(highestTimeMs, Math.min(eventTimeMs, brokerTimeMs))",
        "Math.max(highestTimeMs, eventTimeMs)",
    ),
    _bug(
        "restored by maximum",
        RESTORE,
        "Accounting",
        "Math.min(slowest, adopted)",
        "Math.max(slowest, adopted)",
    ),
    _bug(
        "the partition watermark is not stored",
        RESTORE,
        "StateFormats",
        "out.writeLong(progress.highestTimeMs);",
        "out.writeLong(progress.highestEventTimeMs);",
    ),
    _bug(
        "a second report in a round is lost",
        "job watermark: the minimum of the partition watermarks",
        "WatermarkRounds",
        "report.progress.forEach(watermark::advance);",
        "if (!reported.contains(subtask)) { report.progress.forEach(watermark::advance); }",
    ),
    _bug("activity is not reported", IDLE, "Accounting", "active.add(partition.progress.partition);"),
    _bug(
        "idleness by the wall clock",
        IDLE,
        "WatermarkRounds",
        "reported.size() < parallelism",
        "reported.isEmpty()",
    ),
    _bug(
        "a late record keeps a partition active",
        IDLE,
        "Accounting",
        "afterIdleness = true;",
        "afterIdleness = partition.activeSinceReport = true;",
    ),
    _bug(
        "after all were idle, only the one that returns is active",
        IDLE,
        "GlobalWatermark",
        "if (allIdle()) {",
        "if (partitions.isEmpty()) {",
    ),
    _bug(
        "a partition that nobody can read is idle",
        IDLE,
        "GlobalWatermark",
        "(beingRead || partition.readToEnd())",
        "(beingRead || partition.unreadMs > 0)",
    ),
    _bug(
        "a straggler never returns",
        STRAGGLER,
        "GlobalWatermark",
        "isBehind(partition, newest) ? partition.behindMs + elapsedMs : 0",
        "partition.behindMs + (isBehind(partition, newest) ? elapsedMs : 0)",
    ),
    _bug(
        "a straggler holds the watermark",
        STRAGGLER,
        "GlobalWatermark",
        "if (!idle(partition) && !straggler(partition)) {",
        "if (!idle(partition) && !(straggler(partition) && idle(partition))) {",
    ),
    _bug(
        "while all are idle, all are behind",
        STRAGGLER,
        "GlobalWatermark",
        "&& newestWatermarkMs != Windows.NONE",
    ),
    _bug(
        "the watermark goes back",
        "the job watermark never goes back",
        "GlobalWatermark",
        "watermarkMs = Math.max(watermarkMs, candidate);",
        "watermarkMs = candidate;",
    ),
    _bug(
        "the last windows close ahead of the clock",
        TOPIC_IDLE,
        "GlobalWatermark",
        "end <= nowMs - rules.outOfOrdernessMs",
        "end <= nowMs",
    ),
    _bug(
        "the last windows close before all is read",
        TOPIC_IDLE,
        "GlobalWatermark",
        "each.idleMs >= rules.topicIdleMs && each.readToEnd()",
        "each.idleMs >= rules.topicIdleMs",
    ),
    _bug(
        "what the broker said long ago still holds",
        TOPIC_IDLE,
        "GlobalWatermark",
        "endAgeMs <= END_VALID_MS && progress.nextOffset",
        "progress.nextOffset",
    ),
    _bug(
        "a dead letter leaves before its checkpoint",
        ONE_OUTCOME,
        "Accounting",
        "deferredBytes < MAX_DEFERRED_BYTES",
        "deferredBytes < 0",
    ),
    _bug(
        "a dead letter leaves with a checkpoint that lacks it",
        ONE_OUTCOME,
        "Accounting",
        "deferred.checkpointId != 0 && deferred.checkpointId",
        "deferred.checkpointId",
    ),
    _bug(
        "a deferred dead letter is sent twice",
        "a dead letter appears twice only after a crash",
        "Accounting",
        "deferredBytes -= deferred.deadLetter.bytes();\n                iterator.remove();",
    ),
    _bug(
        "deferred dead letters are lost in a crash",
        "no record is lost",
        "Accounting",
        "restored.deadLetters.forEach(this::defer);",
    ),
    _bug(
        "the cap counts one too many", CAP, "PartitionCounts", "size() < maxSegments", "size() <= maxSegments"
    ),
    _bug(
        "the cap is forgotten at a restore",
        CAP,
        "Accounting",
        "partition(named.partition).counts.restore(named);",
    ),
    _bug(
        "a subtask that is ahead forgets names too early",
        CAP,
        "Accounting",
        "partition.progress.watermark(settings.timeRules), neededNoMoreMs)",
        "partition.progress.watermark(settings.timeRules), jobWatermarkMs)",
    ),
    _bug(
        "the names of closed windows are kept",
        "what a closed window needed is dropped",
        "Accounting",
        "partition.counts.forget(endMs);",
    ),
    _bug(
        "counts leave after the watermark",
        FINAL,
        "Accounting",
        "sendCounts(advancedMs);\n            jobWatermarkMs = advancedMs;\n"
        "            output.closed(jobWatermarkMs);",
        "jobWatermarkMs = advancedMs;\n            output.closed(jobWatermarkMs);\n"
        "            sendCounts(advancedMs);",
    ),
    _bug(
        "no counts leave before a checkpoint",
        FINAL,
        "Accounting",
        "sendDocuments(Long.MAX_VALUE);\n        sendCounts(Long.MAX_VALUE);",
        "sendDocuments(Long.MAX_VALUE);",
    ),
    _bug("documents miss what is new", FINAL, "Accounting", "            sendDocuments(advancedMs);\n"),
    _bug(
        "rows of the ledger are lost in a crash",
        LEDGER,
        "Accounting",
        "            pendingLedger.add(entry);\n        }\n        restored",
        "        }\n        restored",
    ),
    _bug("rows of the ledger are written twice", LEDGER, "Accounting", "entries.remove();"),
    _bug(
        "a row of the ledger goes on in the next",
        LEDGER,
        "Accounting",
        "partition.ledger = new LedgerEntry();",
    ),
    _bug(
        "the ledger does not tell what closes after the last record",
        "the ledger says what the job has closed",
        "Accounting",
        "partition.lastEntry = partition.lastEntry.closedUntil(jobWatermarkMs);\n"
        "                pendingLedger.add(partition.lastEntry);",
    ),
)


def seeds_until_found(bug: Mutant, folder: Path, *, most: int) -> int | None:
    """Run the simulator with a planted bug.

    Returns:
        how many schedules it took to notice; None if it did not in `most`.
    """
    classes = build_mutant(bug, folder)
    done = run(folder, ["ctr.ingest.Simulation", "0", str(most)], first=classes, timeout_s=SIMULATION_S)
    if done.returncode == 0:
        return None
    found = FOUND.match(done.stdout)
    if found is None:
        raise AssertionError(f"the simulator broke: {done.stdout}{done.stderr}")
    return int(found[1]) + 1
