package ctr.ingest;

import java.util.ArrayList;
import java.util.List;

/** What to log of what is not counted: how many of each outcome, and the last one, at most once in {@link #EVERY_MS}. */
final class RejectionLog {

    /** Garbage comes by the thousand a second; its dead-letter messages say all of each. */
    static final long EVERY_MS = 10_000;

    private final long[] counts = new long[Outcome.values().length];
    private int partition;
    private long offset;
    private String problem;
    private long nextMs = Long.MIN_VALUE;

    void add(Event event) {
        counts[event.outcome.ordinal()]++;
        partition = event.record.partition();
        offset = event.record.offset();
        problem = event.problem;
    }

    /** Names and values of what has come since the last line; none where nothing has, or it is too early for another one. */
    Object[] due(long nowMs) {
        if (problem == null || nowMs < nextMs) {
            return new Object[0];
        }
        List<Object> fields = new ArrayList<>();
        for (Outcome outcome : Outcome.values()) {
            if (counts[outcome.ordinal()] > 0) {
                fields.add(outcome.reason());
                fields.add(counts[outcome.ordinal()]);
                counts[outcome.ordinal()] = 0;
            }
        }
        fields.addAll(List.of("last_partition", partition, "last_offset", offset, "last_problem", problem));
        problem = null;
        nextMs = nowMs + EVERY_MS;
        return fields.toArray();
    }
}
