package ctr.ingest;

/** Counts the outcomes of one partition's records since the last checkpoint. */
final class LedgerEntry {

    String jobId;
    long checkpointId;
    long runStartedMs;
    String topic;
    int partition;
    long firstOffset = -1;
    long lastOffset = -1;
    long recordsRead;

    /** Indexed by {@link Outcome#ordinal}. */
    long[] byOutcome = new long[Outcome.values().length];

    void add(long offset, Outcome outcome) {
        if (firstOffset < 0) {
            firstOffset = offset;
        }
        lastOffset = offset;
        recordsRead++;
        byOutcome[outcome.ordinal()]++;
    }
}
