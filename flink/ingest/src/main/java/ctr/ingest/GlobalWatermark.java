package ctr.front;

import java.util.Map;
import java.util.TreeMap;

/**
 * The job watermark, from the progress of every partition of the topic. Plain logic, no Flink.
 *
 * <p>Time passes only by {@link #tick}, which the coordinator calls when every subtask has reported:
 * a job that cannot keep up is not an idle one.
 */
final class JobClock {

    /** A partition without a valid record for this long no longer holds the job watermark. */
    static final long IDLE_MS = 15_000L;

    /** When all partitions had no valid record for this long, the last windows may close. */
    static final long SILENT_MS = 60_000L;

    private static final class Partition {
        final PartitionClock clock;
        long idleMs;

        Partition(int number) {
            clock = new PartitionClock(number);
        }

        boolean idle() {
            return idleMs >= IDLE_MS;
        }
    }

    private final Map<Integer, Partition> partitions = new TreeMap<>();
    private long watermarkMs = Windows.NONE;

    /** The topic has this many partitions; one not seen before is active, and holds the watermark. */
    void setPartitionCount(int count) {
        for (int number = 0; number < count; number++) {
            partitions.computeIfAbsent(number, Partition::new);
        }
    }

    /** A partition has got at least as far as {@code clock}. */
    void advance(PartitionClock clock) {
        partitions.computeIfAbsent(clock.partition, Partition::new).clock.advanceTo(clock);
    }

    /** A partition had a valid record just now. When all were idle, all count as active again. */
    void active(int partition) {
        if (allIdle()) {
            partitions.values().forEach(each -> each.idleMs = 0);
        }
        partitions.computeIfAbsent(partition, Partition::new).idleMs = 0;
    }

    /** A restored job starts from the watermark that it had. */
    void restore(long restoredMs) {
        watermarkMs = Math.max(watermarkMs, restoredMs);
    }

    /** {@code elapsedMs} have passed in which every subtask was able to work. */
    void tick(long elapsedMs) {
        long candidate = Long.MAX_VALUE;
        for (Partition partition : partitions.values()) {
            partition.idleMs += elapsedMs;
            if (!partition.idle()) {
                candidate = Math.min(candidate, partition.clock.watermark());
            }
        }
        if (candidate != Long.MAX_VALUE) {
            watermarkMs = Math.max(watermarkMs, candidate);
        }
    }

    /** No partition had a valid record for {@link #SILENT_MS}. */
    boolean silent() {
        return !partitions.isEmpty() && partitions.values().stream().allMatch(each -> each.idleMs >= SILENT_MS);
    }

    /**
     * Close the last windows of a silent topic that is read to its end: move to the end of the last
     * window seen, of 1 or 5 minutes, that lies {@link Windows#OUT_OF_ORDER_MS} in the past. A later end
     * waits until it does: traffic that resumes in the same five minutes must not find itself late.
     */
    void closeLastWindows(long nowMs) {
        long highest = Windows.NONE;
        for (Partition partition : partitions.values()) {
            highest = Math.max(highest, partition.clock.highestEventTimeMs);
        }
        if (highest == Windows.NONE) {
            return;
        }
        for (long lengthMs : new long[] {Windows.ONE_MINUTE_MS, Windows.FIVE_MINUTES_MS}) {
            long end = Windows.start(highest, lengthMs) + lengthMs;
            if (end <= nowMs - Windows.OUT_OF_ORDER_MS) {
                watermarkMs = Math.max(watermarkMs, end);
            }
        }
    }

    /** Nothing is left that {@link #closeLastWindows} could close. */
    boolean closed() {
        for (Partition partition : partitions.values()) {
            long highest = partition.clock.highestEventTimeMs;
            if (highest != Windows.NONE
                    && Windows.start(highest, Windows.FIVE_MINUTES_MS) + Windows.FIVE_MINUTES_MS > watermarkMs) {
                return false;
            }
        }
        return true;
    }

    /** {@link Windows#NONE} until every active partition has had a valid record. */
    long watermarkMs() {
        return watermarkMs;
    }

    /** Next offset to read, by partition: 0 where nothing was read yet. */
    Map<Integer, Long> nextOffsets() {
        Map<Integer, Long> next = new TreeMap<>();
        partitions.forEach((number, partition) -> next.put(number, partition.clock.nextOffset));
        return next;
    }

    private boolean allIdle() {
        return partitions.values().stream().allMatch(Partition::idle);
    }
}
