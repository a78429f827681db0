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

    /** Makes it an entry of no records, which says that the partition has been read up to there. */
    void startAt(long nextOffset) {
        firstOffset = nextOffset;
        lastOffset = nextOffset - 1;
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
