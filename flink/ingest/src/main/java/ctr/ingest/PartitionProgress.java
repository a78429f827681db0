package ctr.ingest;

import java.io.Serializable;

/** Holds how far one partition has been read: its highest valid event time and its next offset. */
final class PartitionProgress implements Serializable {

    private static final long serialVersionUID = 1L;

    final int partition;
    long highestEventTimeMs = Windows.NONE;
    long nextOffset;

    PartitionProgress(int partition) {
        this.partition = partition;
    }

    long watermark(TimeRules rules) {
        return rules.partitionWatermark(highestEventTimeMs);
    }

    /** Take over whatever is further ahead in {@code other}. */
    void advanceTo(PartitionProgress other) {
        highestEventTimeMs = Math.max(highestEventTimeMs, other.highestEventTimeMs);
        nextOffset = Math.max(nextOffset, other.nextOffset);
    }

    PartitionProgress copy() {
        PartitionProgress copy = new PartitionProgress(partition);
        copy.advanceTo(this);
        return copy;
    }
}
