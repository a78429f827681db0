package ctr.ingest;

import java.io.Serializable;

/** Holds how far one partition has been read: its highest times and its next offset. */
final class PartitionProgress implements Serializable {

    private static final long serialVersionUID = 1L;

    final int partition;

    /** Highest {@code min(event time, broker's record time)} of a valid record: no producer's clock runs ahead of it. */
    long highestTimeMs = Windows.NONE;

    /** Highest event time of a valid record: its window is the last that is open. */
    long highestEventTimeMs = Windows.NONE;

    long nextOffset;

    PartitionProgress(int partition) {
        this.partition = partition;
    }

    long watermark(TimeRules rules) {
        return rules.partitionWatermark(highestTimeMs);
    }

    /**
     * Take a valid record into account.
     *
     * @param brokerTimeMs when the broker wrote it; {@link Windows#NONE} if only the producer says: then it moves no
     *     watermark
     */
    void addValid(long eventTimeMs, long brokerTimeMs) {
        highestTimeMs = Math.max(highestTimeMs, Math.min(eventTimeMs, brokerTimeMs));
        highestEventTimeMs = Math.max(highestEventTimeMs, eventTimeMs);
    }

    /** Take over whatever is further ahead in {@code other}. */
    void advanceTo(PartitionProgress other) {
        highestTimeMs = Math.max(highestTimeMs, other.highestTimeMs);
        highestEventTimeMs = Math.max(highestEventTimeMs, other.highestEventTimeMs);
        nextOffset = Math.max(nextOffset, other.nextOffset);
    }

    PartitionProgress copy() {
        PartitionProgress copy = new PartitionProgress(partition);
        copy.advanceTo(this);
        return copy;
    }
}
