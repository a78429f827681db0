package ctr.front;

import java.io.Serializable;

/** How far one partition has been read: its highest valid event time and its next offset. A Flink POJO. */
public final class PartitionClock implements Serializable {

    private static final long serialVersionUID = 1L;

    public int partition;
    public long highestEventTimeMs = Windows.NONE;
    public long nextOffset;

    /** For Flink's serializer. */
    public PartitionClock() {}

    PartitionClock(int partition) {
        this.partition = partition;
    }

    long watermark() {
        return Windows.partitionWatermark(highestEventTimeMs);
    }

    /** Take over whatever is further ahead in {@code other}. */
    void advanceTo(PartitionClock other) {
        highestEventTimeMs = Math.max(highestEventTimeMs, other.highestEventTimeMs);
        nextOffset = Math.max(nextOffset, other.nextOffset);
    }

    PartitionClock copy() {
        PartitionClock copy = new PartitionClock(partition);
        copy.advanceTo(this);
        return copy;
    }
}
