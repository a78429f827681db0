package ctr.ingest;

import java.util.Map;
import java.util.TreeMap;

/**
 * Computes the job watermark from the progress of every partition of the topic. Plain logic, no Flink.
 *
 * <p>Time passes only by {@link #tick}, which the coordinator calls when every subtask has reported:
 * a job that cannot keep up is not an idle one.
 */
final class GlobalWatermark {

    private static final class Partition {
        final PartitionProgress progress;
        long idleMs;

        Partition(int number) {
            progress = new PartitionProgress(number);
        }
    }

    private final TimeRules rules;
    private final Map<Integer, Partition> partitions = new TreeMap<>();
    private long watermarkMs = Windows.NONE;

    GlobalWatermark(TimeRules rules) {
        this.rules = rules;
    }

    /** Notes that the topic has this many partitions; one not seen before is active, and holds the watermark. */
    void setPartitionCount(int count) {
        for (int number = 0; number < count; number++) {
            partitions.computeIfAbsent(number, Partition::new);
        }
    }

    /** Notes that a partition has been read at least as far as {@code reported}. */
    void advance(PartitionProgress reported) {
        partitions.computeIfAbsent(reported.partition, Partition::new).progress.advanceTo(reported);
    }

    /** Notes that a partition had a valid record just now. When all were idle, all count as active again. */
    void active(int partition) {
        if (allIdle()) {
            partitions.values().forEach(each -> each.idleMs = 0);
        }
        partitions.computeIfAbsent(partition, Partition::new).idleMs = 0;
    }

    /** Starts a restored job from the watermark that it had. */
    void restore(long restoredMs) {
        watermarkMs = Math.max(watermarkMs, restoredMs);
    }

    /** Notes that {@code elapsedMs} have passed in which every subtask was able to work. */
    void tick(long elapsedMs) {
        long candidate = Long.MAX_VALUE;
        for (Partition partition : partitions.values()) {
            partition.idleMs += elapsedMs;
            if (!idle(partition)) {
                candidate = Math.min(candidate, partition.progress.watermark(rules));
            }
        }
        if (candidate != Long.MAX_VALUE) {
            watermarkMs = Math.max(watermarkMs, candidate);
        }
    }

    /** Whether no partition had a valid record for {@link TimeRules#topicIdleMs}. */
    boolean topicIdle() {
        return !partitions.isEmpty() && partitions.values().stream().allMatch(each -> each.idleMs >= rules.topicIdleMs);
    }

    /**
     * Closes the last windows of an idle topic that is read to its end: move to the end of the last
     * window seen, of 1 or 5 minutes, that lies {@link TimeRules#outOfOrdernessMs} in the past. A later end
     * waits until it does: traffic that resumes in the same five minutes must not find itself late.
     */
    void closeLastWindows(long nowMs) {
        long highest = Windows.NONE;
        for (Partition partition : partitions.values()) {
            highest = Math.max(highest, partition.progress.highestEventTimeMs);
        }
        if (highest == Windows.NONE) {
            return;
        }
        for (long lengthMs : new long[] {Windows.ONE_MINUTE_MS, Windows.FIVE_MINUTES_MS}) {
            long end = Windows.start(highest, lengthMs) + lengthMs;
            if (end <= nowMs - rules.outOfOrdernessMs) {
                watermarkMs = Math.max(watermarkMs, end);
            }
        }
    }

    /** Whether nothing is left that {@link #closeLastWindows} could close. */
    boolean closed() {
        for (Partition partition : partitions.values()) {
            long highest = partition.progress.highestEventTimeMs;
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
        partitions.forEach((number, partition) -> next.put(number, partition.progress.nextOffset));
        return next;
    }

    private boolean allIdle() {
        return partitions.values().stream().allMatch(this::idle);
    }

    private boolean idle(Partition partition) {
        return partition.idleMs >= rules.partitionIdleMs;
    }
}
