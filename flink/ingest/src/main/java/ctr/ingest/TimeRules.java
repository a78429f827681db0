package ctr.ingest;

import java.io.Serializable;

/** Holds the rules of time: when an event is late or invalid, and when a window closes. See {@code flink/config.py}. */
public final class TimeRules implements Serializable {

    private static final long serialVersionUID = 1L;

    /** A partition watermark trails the highest time of its partition by this much. */
    public long outOfOrdernessMs;

    /** A partition without a valid and timely record for this long no longer holds the job watermark. */
    public long partitionIdleMs;

    /** When all partitions had no valid and timely record for this long, the last windows may close. */
    public long topicIdleMs;

    /** A partition that is read to its end and whose watermark is this far behind the newest no longer holds it. */
    public long stragglerAfterMs;

    /** An event may be this much ahead of the moment the broker wrote it: clocks differ. */
    public long maxAheadMs;

    /** An earlier event is invalid: a clock that was never set, or seconds in place of milliseconds. */
    public long earliestMs;

    /** The partition watermark that follows from a partition's {@link PartitionProgress#highestTimeMs}. */
    long partitionWatermark(long highestTimeMs) {
        return highestTimeMs == Windows.NONE ? Windows.NONE : highestTimeMs - outOfOrdernessMs;
    }
}
