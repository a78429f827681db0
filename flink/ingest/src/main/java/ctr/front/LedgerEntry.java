package ctr.front;

/** An entry of the ledger that version 0.1 had not written yet. */
public final class LedgerEntry {
    public String jobId;
    public long checkpointId;
    public long runStartedMs;
    public String topic;
    public int partition;
    public long firstOffset;
    public long lastOffset;
    public long recordsRead;

    /** Numbers of records that were counted, late, malformed, of an unknown schema, invalid. */
    public long[] byFate;
}
