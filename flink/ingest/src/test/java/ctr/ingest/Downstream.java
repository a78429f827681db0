package ctr.ingest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the simulated stage's output goes to: a window operator and documents, whose state is part of each checkpoint; a
 * table of upserts, a topic of dead letters and the ledger, which are never taken back.
 */
final class Downstream {

    /** A window's segment. */
    record Key(long start, String category, int device) {}

    /** Window operator and documents at a checkpoint. */
    record State(Map<Key, Long> open, Map<Key, Long> documents) {}

    /** Clicks are summed in the same number as impressions, which never are so many. */
    static final long CLICK = 1L << 32;

    final Map<Key, Long> table = new HashMap<>();

    /** How often, by {@code reason partition/offset}. */
    final Set<String> deadLetters = new HashSet<>();

    /** By partition, first offset and run, as the key of {@code quality.ledger}. */
    final Map<String, LedgerEntry> ledger = new HashMap<>();

    private Map<Key, Long> open = new HashMap<>();
    private Map<Key, Long> documents = new HashMap<>();

    /** What each subtask has announced: every window that ends by it is closed. */
    private long[] closed = new long[0];

    private final Set<String> sentInThisRun = new HashSet<>();

    /** Starts anew, as the job does. */
    void restore(State state, int parallelism) {
        open = state == null ? new HashMap<>() : new HashMap<>(state.open);
        documents = state == null ? new HashMap<>() : new HashMap<>(state.documents);
        closed = new long[parallelism];
        Arrays.fill(closed, Windows.NONE);
        sentInThisRun.clear();
    }

    State checkpoint() {
        return new State(new HashMap<>(open), new HashMap<>(documents));
    }

    boolean allClosed() {
        return open.isEmpty() && documents.isEmpty();
    }

    /** What the job watermark is for a subtask's next record: what it has announced. */
    long announcedMs(int subtask) {
        return closed[subtask];
    }

    List<Accounting.Output> outputs() {
        List<Accounting.Output> outputs = new ArrayList<>();
        for (int i = 0; i < closed.length; i++) {
            outputs.add(new Output(i));
        }
        return outputs;
    }

    private final class Output implements Accounting.Output {
        private final int subtask;

        Output(int subtask) {
            this.subtask = subtask;
        }

        @Override
        public void counts(long windowStart, Map<Segment, long[]> sums) {
            if (windowStart + Windows.ONE_MINUTE_MS <= closedByAll()) {
                throw new Violation("counts came after their window had closed: " + windowStart);
            }
            add(open, windowStart, sums);
        }

        @Override
        public void documents(long windowStart, Map<Segment, long[]> sums) {
            add(documents, windowStart, sums);
        }

        @Override
        public void closed(long jobWatermarkMs) {
            if (jobWatermarkMs < closed[subtask]) {
                throw new Violation("a subtask's watermark went back");
            }
            closed[subtask] = jobWatermarkMs;
            close();
        }

        @Override
        public void deadLetter(DeadLetter deadLetter) {
            String text = deadLetter.reason + " " + deadLetter.partition + "/" + deadLetter.offset;
            if (!sentInThisRun.add(text)) {
                throw new Violation("a dead letter was sent twice without a crash: " + text);
            }
            deadLetters.add(text);
        }

        @Override
        public void ledger(LedgerEntry entry) {
            String key = entry.partition + "/" + entry.firstOffset + "/" + entry.runStartedMs;
            if (!sentInThisRun.add("ledger " + key + " " + entry.jobWatermarkMs)) {
                throw new Violation("a row of the ledger was written twice without a crash: " + key);
            }
            ledger.put(key, entry);
        }
    }

    private static void add(Map<Key, Long> counts, long windowStart, Map<Segment, long[]> sums) {
        sums.forEach((segment, each) -> counts.merge(
                new Key(windowStart, (String) segment.values[0], (Integer) segment.values[1]),
                each[0] + CLICK * each[1],
                Long::sum));
    }

    private long closedByAll() {
        long slowest = Long.MAX_VALUE;
        for (long each : closed) {
            slowest = Math.min(slowest, each);
        }
        return slowest;
    }

    /** An upsert of whatever the watermark of all subtasks closes; its document must say the same. */
    private void close() {
        long slowest = closedByAll();
        if (slowest == Windows.NONE) {
            return;
        }
        for (Iterator<Map.Entry<Key, Long>> entries = open.entrySet().iterator(); entries.hasNext(); ) {
            Map.Entry<Key, Long> entry = entries.next();
            if (entry.getKey().start + Windows.ONE_MINUTE_MS <= slowest) {
                Long shown = documents.remove(entry.getKey());
                if (!entry.getValue().equals(shown)) {
                    throw new Violation("the document of " + entry + " says " + shown);
                }
                table.put(entry.getKey(), entry.getValue());
                entries.remove();
            }
        }
    }
}
