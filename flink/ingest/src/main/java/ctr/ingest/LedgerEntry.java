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

    /** At the checkpoint: every window that ends by it is closed. 0: none is. */
    long jobWatermarkMs;

    /** Indexed by {@link Outcome#ordinal}. */
    long[] byOutcome = new long[Outcome.values().length];

    /** The same entry, with what has closed since. */
    LedgerEntry closedUntil(long laterWatermarkMs) {
        LedgerEntry copy = new LedgerEntry();
        copy.jobId = jobId;
        copy.checkpointId = checkpointId;
        copy.runStartedMs = runStartedMs;
        copy.topic = topic;
        copy.partition = partition;
        copy.firstOffset = firstOffset;
        copy.lastOffset = lastOffset;
        copy.recordsRead = recordsRead;
        copy.byOutcome = byOutcome.clone();
        copy.jobWatermarkMs = laterWatermarkMs;
        return copy;
    }

    void add(long offset, Outcome outcome) {
        if (firstOffset < 0) {
            firstOffset = offset;
        }
        lastOffset = offset;
        recordsRead++;
        byOutcome[outcome.ordinal()]++;
    }
}
