package ctr.ingest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What must have left a simulated job in the end, from the topic's content and the outcome of each record. */
final class FinalReference {

    private final SimulatedTopic topic;
    private final int cap;

    /** Of each record, as it was decided last: a crash before the next checkpoint makes it undecided. */
    private final Outcome[][] outcomes;

    /**
     * Windows of records that were counted before a crash and late after it, because their partition was idle then. What was
     * counted of them alone may have closed before the crash, and stays in the table: the recount tells.
     */
    private final Set<Long> lateAfterCrash = new HashSet<>();

    private final List<String> problems = new ArrayList<>();

    FinalReference(SimulatedTopic topic, int cap) {
        this.topic = topic;
        this.cap = cap;
        outcomes = new Outcome[topic.partitions()][];
        Arrays.setAll(outcomes, partition -> new Outcome[topic.size(partition)]);
    }

    void decided(SimulatedTopic.Appended appended, Outcome outcome) {
        Outcome[] ofPartition = outcomes[appended.record().partition()];
        int offset = (int) appended.record().offset();
        if (ofPartition[offset] == Outcome.COUNTED && outcome == Outcome.LATE) {
            lateAfterCrash.add(start(appended));
        }
        ofPartition[offset] = outcome;
    }

    /** Where every further event of a window would be late by the partition's content, its segments need no names. */
    void forgets(Object[] subtasks, WatermarkReference progress) {
        for (Object subtask : subtasks) {
            if (subtask instanceof SimulatedSubtask.StateBytes state) {
                for (NamedSegments named : state.namedSegments()) {
                    if (named.windowStart + 60_000 <= progress.partitionWatermarkMs(named.partition)) {
                        problems.add("names of a window that ended long ago are kept: " + named.windowStart);
                    }
                }
            }
        }
    }

    /**
     * @param watermarkMs the job watermark in the end
     * @param lastRun the run that was never stopped
     */
    List<String> problems(Downstream downstream, long watermarkMs, long lastRun) {
        Map<Downstream.Key, Long> counts = new HashMap<>();
        Set<String> deadLetters = new HashSet<>();
        long lastEventMs = Windows.NONE;
        for (int partition = 0; partition < topic.partitions(); partition++) {
            Map<Long, Set<String>> names = new HashMap<>();
            long[] sums = new long[Outcome.values().length];
            for (int offset = 0; offset < topic.size(partition); offset++) {
                SimulatedTopic.Appended record = topic.get(partition, offset);
                Outcome outcome = outcomes[partition][offset];
                if (outcome == null) {
                    problems.add(partition + "/" + offset + " was never read");
                    continue;
                }
                sums[outcome.ordinal()]++;
                lastEventMs = record.valid() ? Math.max(lastEventMs, record.eventMs()) : lastEventMs;
                if (outcome == Outcome.COUNTED) {
                    counts.merge(key(record, names), 1 + Downstream.CLICK * record.click(), Long::sum);
                } else {
                    deadLetters.add(outcome.reason() + " " + partition + "/" + offset);
                }
            }
            compareLedger(newestFirst(downstream, partition), partition, sums, lastRun, watermarkMs);
        }
        downstream.table.keySet().removeIf(key -> !counts.containsKey(key) && lateAfterCrash.contains(key.start()));
        compare("windows", counts.entrySet(), downstream.table.entrySet());
        compare("dead letters", deadLetters, downstream.deadLetters);
        if (!downstream.allClosed()) {
            problems.add("some windows were never closed");
        }
        if (lastEventMs != Windows.NONE && watermarkMs <= lastEventMs) {
            problems.add("the last windows were never closed");
        }
        return problems;
    }

    /** The first segments of a window in a partition keep their names; a further one is counted as {@code other}. */
    private Downstream.Key key(SimulatedTopic.Appended record, Map<Long, Set<String>> names) {
        long start = start(record);
        Set<String> named = names.computeIfAbsent(start, each -> new HashSet<>());
        boolean known = named.contains(record.category()) || named.size() < cap && named.add(record.category());
        return known ? new Downstream.Key(start, record.category(), 1) : new Downstream.Key(start, "other", -1);
    }

    private static long start(SimulatedTopic.Appended record) {
        return Math.floorDiv(record.eventMs(), 60_000L) * 60_000L;
    }

    private <T> void compare(String what, Set<T> expected, Set<T> found) {
        if (!expected.equals(found)) {
            Set<T> missing = new HashSet<>(expected);
            missing.removeAll(found);
            Set<T> extra = new HashSet<>(found);
            extra.removeAll(expected);
            problems.add(what + " that are missing: " + missing + ", that are too many: " + extra);
        }
    }

    /** The ledger's rows of a partition. */
    private static List<LedgerEntry> newestFirst(Downstream downstream, int partition) {
        List<LedgerEntry> rows = new ArrayList<>();
        for (LedgerEntry entry : downstream.ledger.values()) {
            if (entry.partition == partition) {
                rows.add(entry);
            }
        }
        rows.sort(Comparator.<LedgerEntry>comparingLong(entry -> entry.runStartedMs)
                .thenComparingLong(entry -> entry.checkpointId)
                .reversed());
        return rows;
    }

    /** Sums the newest run's rows of each offset, as the view {@code quality.ledger_current} has them. */
    private void compareLedger(List<LedgerEntry> rows, int partition, long[] expected, long lastRun, long watermarkMs) {
        long readAgainFrom = Long.MAX_VALUE;
        long[] sums = new long[expected.length];
        for (LedgerEntry row : rows) {
            if (row.firstOffset < readAgainFrom) {
                Arrays.setAll(sums, i -> sums[i] + row.byOutcome[i]);
            }
            readAgainFrom = Math.min(readAgainFrom, row.firstOffset);
        }
        if (!Arrays.equals(sums, expected)) {
            problems.add("the ledger of partition " + partition + " says " + Arrays.toString(sums) + ", not "
                    + Arrays.toString(expected));
        }
        // Windows also close after the last record.
        if (!rows.isEmpty()
                && rows.get(0).runStartedMs == lastRun
                && Math.floorDiv(rows.get(0).jobWatermarkMs, 60_000L) != Math.floorDiv(watermarkMs, 60_000L)) {
            problems.add("the ledger of partition " + partition + " says that windows are closed until "
                    + rows.get(0).jobWatermarkMs + ", not " + watermarkMs);
        }
    }
}
