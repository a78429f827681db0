package ctr.front;

/** How far version 0.1 had read one partition. */
public final class PartitionClock {
    public int partition;
    public long highestEventTimeMs;
    public long nextOffset;
}
