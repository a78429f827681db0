package ctr.front;

/** The contract's window lengths and the bound on disorder. All times are milliseconds, UTC. */
final class Windows {

    static final long ONE_MINUTE_MS = 60_000L;
    static final long FIVE_MINUTES_MS = 5 * ONE_MINUTE_MS;

    /** A partition watermark trails the highest event time of its partition by this much. */
    static final long OUT_OF_ORDER_MS = 10_000L;

    /** Stands for "no event time", "no watermark": earlier than every real one. */
    static final long NONE = Long.MIN_VALUE;

    private Windows() {}

    /** Start of the tumbling window of {@code lengthMs} that holds {@code timeMs}. */
    static long start(long timeMs, long lengthMs) {
        return timeMs - Math.floorMod(timeMs, lengthMs);
    }

    /** End (exclusive) of the 1 minute window that holds {@code timeMs}. */
    static long oneMinuteEnd(long timeMs) {
        return start(timeMs, ONE_MINUTE_MS) + ONE_MINUTE_MS;
    }

    /** The partition watermark that follows from a partition's highest event time. */
    static long partitionWatermark(long highestEventTimeMs) {
        return highestEventTimeMs == NONE ? NONE : highestEventTimeMs - OUT_OF_ORDER_MS;
    }
}
