package ctr.ingest;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Computes the job watermark from the progress of every partition of the topic. Plain logic, no Flink.
 *
 * <p>Time passes only by {@link #tick}, which the coordinator calls when every subtask has reported:
 * a job that cannot keep up is not an idle one. Nor is a partition idle that holds records nobody reads, because its
 * leader is away, it is new, or a transaction is open: what the broker says of its end counts, if it is fresh.
 */
final class GlobalWatermark {

    /**
     * The broker is asked each second. What it said before its last two answers does not hold any more: records may have
     * come since, and to wait for it loses nothing.
     */
    static final long END_VALID_MS = 2_500;

    private static final class Partition {
        final PartitionProgress progress;

        /** Since its last valid and timely record. */
        long idleMs;

        /** Since a record was last read. */
        long unreadMs;

        /** Since its watermark was last near the newest. */
        long behindMs;

        /** Where reading ends, as the broker said {@link #endAgeMs} ago. */
        long endOffset;

        long endAgeMs = END_VALID_MS + 1;

        Partition(int number) {
            progress = new PartitionProgress(number);
        }

        boolean readToEnd() {
            return endAgeMs <= END_VALID_MS && progress.nextOffset >= endOffset;
        }
    }

    private final TimeRules rules;
    private final Map<Integer, Partition> partitions = new TreeMap<>();
    private long watermarkMs = Windows.NONE;

    /** Partitions that did not hold the watermark at the last tick. */
    private Set<Integer> passedOver = Set.of();

    GlobalWatermark(TimeRules rules) {
        this.rules = rules;
    }

    /** Notes that the topic has this many partitions; one not seen before is active, and holds the watermark. */
    void setPartitionCount(int count) {
        for (int number = 0; number < count; number++) {
            partition(number);
        }
    }

    /** Notes that a partition has been read at least as far as {@code reported}. */
    void advance(PartitionProgress reported) {
        Partition partition = partition(reported.partition);
        if (reported.nextOffset > partition.progress.nextOffset) {
            partition.unreadMs = 0;
        }
        partition.progress.advanceTo(reported);
    }

    /** Notes that a partition had a valid and timely record just now. When all were idle, all count as active again. */
    void active(int number) {
        if (allIdle()) {
            partitions.values().forEach(each -> each.idleMs = 0);
        }
        partition(number).idleMs = 0;
    }

    /**
     * Notes what the broker said just now.
     *
     * @param endOffset no record lies at or beyond it, readable or of an open transaction
     */
    void endsAt(int number, long endOffset) {
        Partition partition = partition(number);
        partition.endOffset = endOffset;
        partition.endAgeMs = 0;
    }

    /** Starts a restored job from the watermark that it had. */
    void restore(long restoredMs) {
        watermarkMs = Math.max(watermarkMs, restoredMs);
    }

    /** Notes that {@code elapsedMs} have passed in which every subtask was able to work. */
    void tick(long elapsedMs) {
        long newest = Windows.NONE;
        for (Partition partition : partitions.values()) {
            partition.idleMs += elapsedMs;
            partition.unreadMs += elapsedMs;
            partition.endAgeMs += elapsedMs;
            if (!idle(partition)) {
                newest = Math.max(newest, partition.progress.watermark(rules));
            }
        }
        long candidate = Long.MAX_VALUE;
        Set<Integer> notHolding = new TreeSet<>();
        for (Partition partition : partitions.values()) {
            partition.behindMs = isBehind(partition, newest) ? partition.behindMs + elapsedMs : 0;
            if (!idle(partition) && !straggler(partition)) {
                candidate = Math.min(candidate, partition.progress.watermark(rules));
            } else {
                notHolding.add(partition.progress.partition);
            }
        }
        passedOver = notHolding;
        if (candidate != Long.MAX_VALUE) {
            watermarkMs = Math.max(watermarkMs, candidate);
        }
    }

    /** Whether all partitions are read to their ends and had no valid and timely record for {@link TimeRules#topicIdleMs}. */
    boolean topicIdle() {
        return !partitions.isEmpty()
                && partitions.values().stream().allMatch(each -> each.idleMs >= rules.topicIdleMs && each.readToEnd());
    }

    /**
     * Closes the last windows of an idle topic: move to the end of the last
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

    /** Idle partitions and stragglers: what the watermark did not wait for at the last tick. */
    Set<Integer> passedOver() {
        return passedOver;
    }

    /** Next offset to read, by partition: 0 where nothing was read yet. */
    Map<Integer, Long> nextOffsets() {
        Map<Integer, Long> next = new TreeMap<>();
        partitions.forEach((number, partition) -> next.put(number, partition.progress.nextOffset));
        return next;
    }

    private Partition partition(int number) {
        return partitions.computeIfAbsent(number, Partition::new);
    }

    private boolean allIdle() {
        return partitions.values().stream().allMatch(this::idle);
    }

    /** Garbage and late records keep nothing active; records that nobody can read may be timely ones. */
    private boolean idle(Partition partition) {
        boolean beingRead = partition.unreadMs < rules.partitionIdleMs;
        return partition.idleMs >= rules.partitionIdleMs && (beingRead || partition.readToEnd());
    }

    private boolean isBehind(Partition partition, long newestWatermarkMs) {
        long watermark = partition.progress.watermark(rules);
        return watermark != Windows.NONE
                && newestWatermarkMs != Windows.NONE
                && watermark < newestWatermarkMs - rules.stragglerAfterMs;
    }

    /**
     * Whether a partition's newest events are so old that the others need not wait for them. Not at once: where the past is
     * replayed, minutes of event time pass in a moment, in one partition before another.
     */
    private boolean straggler(Partition partition) {
        return partition.behindMs >= rules.partitionIdleMs && partition.readToEnd();
    }
}
