package ctr.front;

/** What became of the records of one partition since the last checkpoint. A Flink POJO. */
public final class LedgerEntry {

    public String jobId;
    public long checkpointId;
    public long runStartedMs;
    public String topic;
    public int partition;
    public long firstOffset = -1;
    public long lastOffset = -1;
    public long recordsRead;

    /** Indexed by {@link Fate#ordinal}. */
    public long[] byFate = new long[Fate.values().length];

    /** For Flink's serializer. */
    public LedgerEntry() {}

    void add(long offset, Fate fate) {
        if (firstOffset < 0) {
            firstOffset = offset;
        }
        lastOffset = offset;
        recordsRead++;
        byFate[fate.ordinal()]++;
    }
}
