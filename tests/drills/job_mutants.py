"""Small faults of the running job, to measure what notices them: ingest stage, SQL, documents."""

from __future__ import annotations

from typing import Final

from tests.support.mutants import Mutant

JAVA: Final = "flink/ingest/src/main/java/ctr/ingest/"
COUNTS: Final = "counts are exact"
OUTCOMES: Final = "exactly one outcome, of the right reason"
LATE: Final = "late by the partition's content"
CLOSED: Final = "a closed window is final within 1 s"
LEDGER: Final = "records read = counted + late + dead"
SEGMENTS: Final = "a segment as the contract spells it"
DOCUMENTS: Final = "a final document equals Postgres"


def _fault(name: str, rule: str, file: str, old: str, new: str) -> Mutant:
    return Mutant(name=name, rule=rule, file=file, old=old, new=new)


def _java(name: str, rule: str, file: str, old: str, new: str) -> Mutant:
    return _fault(name, rule, f"{JAVA}{file}.java", old, new)


_ADD: Final = "partition.counts.add(windowStart, event);"
_AHEAD: Final = "event.timestampMs > record.timestamp() + settings.timeRules.maxAheadMs"

INGEST: Final = (
    _java("impressions count double", COUNTS, "PartitionCounts", "counted[0]++;", "counted[0] += 2;"),
    _java(
        "clicks count double", COUNTS, "PartitionCounts", "+= event.measures[i];", "+= 2 * event.measures[i];"
    ),
    _java("every event is added twice", COUNTS, "Accounting", _ADD, _ADD + _ADD),
    _java(
        "one event in a hundred is not added",
        COUNTS,
        "Accounting",
        _ADD,
        f"if (event.record.offset() % 100 != 7) {{ {_ADD} }}",
    ),
    _java(
        "windows begin a second too late",
        COUNTS,
        "Accounting",
        "Windows.start(event.timestampMs,",
        "Windows.start(event.timestampMs - 1_000,",
    ),
    _java(
        "an event is late a second too late",
        LATE,
        "Accounting",
        "windowEnd <= watermark)",
        "windowEnd <= watermark - 1_000)",
    ),
    _java(
        "late events are counted",
        LATE,
        "Accounting",
        "windowEnd <= watermark)",
        "windowEnd <= watermark - 3_600_000)",
    ),
    _java(
        "late events vanish",
        OUTCOMES,
        "Accounting",
        "event.record.offset() < partition.reportFromOffset",
        "event.outcome == Outcome.LATE",
    ),
    _java(
        "nobody waits for disorder", LATE, "TimeRules", "highestTimeMs - outOfOrdernessMs", "highestTimeMs"
    ),
    _java(
        "the newest partition makes the watermark",
        CLOSED,
        "GlobalWatermark",
        "candidate = Math.min(candidate, partition",
        "candidate = Math.max(candidate == Long.MAX_VALUE ? Long.MIN_VALUE : candidate, partition",
    ),
    _java(
        "counts leave after the watermark",
        CLOSED,
        "Accounting",
        "sendCounts(advancedMs);\n            jobWatermarkMs = advancedMs;\n"
        "            output.closed(jobWatermarkMs);",
        "jobWatermarkMs = advancedMs;\n            output.closed(jobWatermarkMs);\n"
        "            sendCounts(advancedMs);",
    ),
    _java(
        "windows close a minute after they are said to be",
        CLOSED,
        "PreAggregator",
        "new Watermark(jobWatermarkMs - 1)",
        "new Watermark(jobWatermarkMs - 60_000)",
    ),
    _java(
        "a reason is wrong",
        OUTCOMES,
        "EventDecoder",
        "Outcome.MALFORMED, malformed",
        "Outcome.INVALID, malformed",
    ),
    _java(
        "an unknown schema is called malformed",
        OUTCOMES,
        "EventDecoder",
        "Outcome.UNKNOWN_SCHEMA, plan",
        "Outcome.MALFORMED, plan",
    ),
    _java(
        "a click of 7 is valid",
        OUTCOMES,
        "EventDecoder",
        "event.click != 0 && event.click != 1",
        "event.click < 0",
    ),
    _java(
        "an event a year ahead is valid",
        OUTCOMES,
        "EventDecoder",
        _AHEAD,
        "event.timestampMs == Long.MAX_VALUE",
    ),
    _java(
        "the year 1970 is valid",
        OUTCOMES,
        "EventDecoder",
        "event.timestampMs < settings.timeRules.earliestMs)",
        "event.timestampMs == Long.MIN_VALUE)",
    ),
    _java("a byte may be left over", OUTCOMES, "DecodePlan", "in.remaining() != 0", "in.remaining() > 1"),
    _java(
        "dead letters of dead records vanish",
        OUTCOMES,
        "Accounting",
        "if (event.outcome != Outcome.COUNTED) {",
        "if (event.outcome == Outcome.LATE) {",
    ),
    _java("the ledger reads too much", LEDGER, "LedgerEntry", "recordsRead++;", "recordsRead += 2;"),
    _java(
        "the ledger forgets the last offset",
        LEDGER,
        "LedgerEntry",
        "lastOffset = offset;",
        "lastOffset = Math.max(firstOffset, offset - 1);",
    ),
    _java(
        "the ledger calls late what is counted",
        LEDGER,
        "LedgerEntry",
        "byOutcome[outcome.ordinal()]++;",
        "byOutcome[offset % 100 == 7 ? Outcome.LATE.ordinal() : outcome.ordinal()]++;",
    ),
    _java(
        "a blank category has no name",
        SEGMENTS,
        "StringDictionary",
        "text.trim().isEmpty()",
        "text.isEmpty()",
    ),
    _java(
        "two devices are one",
        SEGMENTS,
        "DecodePlan",
        ": (in, out) -> out.dimensions[slot] = in.readInt());",
        ": (in, out) -> out.dimensions[slot] = in.readInt() & 3);",
    ),
    _java(
        "the fourth segment is called other",
        SEGMENTS,
        "PartitionCounts",
        "current.named.size() < maxSegments",
        "current.named.size() < 3",
    ),
    _java(
        "documents are never final",
        DOCUMENTS,
        "RowEncoder",
        "window.startMs, isFinal,",
        "window.startMs, false,",
    ),
    _java(
        "documents count double",
        DOCUMENTS,
        "OpenWindow",
        "addTo(totals, sums);",
        "addTo(totals, sums); addTo(totals, sums);",
    ),
)

_MINUTE: Final = "FROM TABLE(TUMBLE(TABLE partial_aggregates, DESCRIPTOR(rt), INTERVAL '1' MINUTE))"
_SUM: Final = "    SUM(impressions) AS impressions,\n    ${measure_sums}\n"

_FROM_MINUTES: Final = " || '+00',\n    ${dimensions}, impressions, ${measures}\nFROM windows_1min"

SQL: Final = (
    _fault(
        "a minute counts its partial sums",
        COUNTS,
        "flink/sql/windows.sql",
        _SUM + _MINUTE,
        _SUM.replace("SUM(impressions)", "COUNT(impressions)") + _MINUTE,
    ),
    _fault(
        "five minutes are ten",
        COUNTS,
        "flink/sql/windows.sql",
        "INTERVAL '5' MINUTE))",
        "INTERVAL '10' MINUTE))",
    ),
    _fault(
        "segments of one impression are left out",
        COUNTS,
        "flink/sql/inserts.sql",
        "FROM windows_1min;",
        "FROM windows_1min WHERE impressions > 1;",
    ),
    _fault(
        "clicks of five minutes are their impressions",
        COUNTS,
        "flink/sql/inserts.sql",
        "impressions, ${measures}\nFROM windows_5min",
        "impressions, impressions\nFROM windows_5min",
    ),
    _fault(
        "a minute ends when it begins",
        "the row's window_end",
        "flink/sql/inserts.sql",
        "CAST(window_end AS STRING)" + _FROM_MINUTES,
        "CAST(window_start AS STRING)" + _FROM_MINUTES,
    ),
    _fault(
        "malformed and late change places",
        LEDGER,
        "flink/sql/inserts.sql",
        "records_read, counted, late, malformed,",
        "records_read, counted, malformed, late,",
    ),
    _fault(
        "the feed lacks the five minutes",
        DOCUMENTS,
        "flink/sql/inserts.sql",
        "FROM final_documents;",
        "FROM final_documents WHERE key LIKE '1min%';",
    ),
)

PYTHON: Final = (
    _fault(
        "CTR is cut, not rounded",
        DOCUMENTS,
        "flink/documents.py",
        "(20_000 * clicks + impressions)",
        "(20_000 * clicks)",
    ),
    _fault(
        "a document's clicks are its impressions",
        DOCUMENTS,
        "flink/documents.py",
        '"total_clicks": clicks,',
        '"total_clicks": impressions,',
    ),
    _fault(
        "a document lacks its largest segment",
        DOCUMENTS,
        "flink/documents.py",
        "segments = summary.segments[:entries]",
        "segments = summary.segments[1:entries]",
    ),
    _fault(
        "a category's CTR is wrong",
        DOCUMENTS,
        "flink/documents.py",
        "str(value): percent(clicks, impressions)",
        "str(value): percent(clicks + 1, impressions + 1)",
    ),
    _fault(
        "final documents do not reach Redis",
        DOCUMENTS,
        "flink/document_function.py",
        "            self._send_final(made, ctx)\n",
        "",
    ),
    _fault(
        "documents live for a second",
        DOCUMENTS,
        "flink/redis/write_document.lua",
        "'EX', ARGV[2])",
        "'EX', 1)",
    ),
)

FAULTS: Final = (*INGEST, *SQL, *PYTHON)
