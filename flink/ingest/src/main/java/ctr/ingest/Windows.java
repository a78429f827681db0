package ctr.ingest;

/** Holds the contract's window lengths and computes a window's bounds. All times are milliseconds, UTC. */
final class Windows {

    static final long ONE_MINUTE_MS = 60_000L;
    static final long FIVE_MINUTES_MS = 5 * ONE_MINUTE_MS;

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
}
