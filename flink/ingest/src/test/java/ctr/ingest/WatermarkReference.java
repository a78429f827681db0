package ctr.ingest;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/**
 * The job watermark of the simulated job by the contract's words, from what the simulator itself knows: the topic's content,
 * what was read, what the broker was asked. Times are points of a clock that runs while every subtask is able to work.
 */
final class WatermarkReference {

    private static final class Partition {
        long offset;
        long highestTimeMs = Windows.NONE;
        long highestEventTimeMs = Windows.NONE;
        long lastTimelyAtMs;
        long lastReadAtMs;
        long lastNearAtMs;
        long end;
        long endAtMs = Windows.NONE;
        boolean timelySinceReport;
    }

    private final TimeRules rules;
    private final long tickMs;
    private final Partition[] partitions;
    private final boolean[] worked;
    private long clockMs;
    private long watermarkMs;

    /** @param restoredMs the least that a subtask of the snapshot had announced */
    WatermarkReference(TimeRules rules, long tickMs, int partitions, int parallelism, long restoredMs) {
        this.rules = rules;
        this.tickMs = tickMs;
        this.partitions = new Partition[partitions];
        Arrays.setAll(this.partitions, number -> new Partition());
        worked = new boolean[parallelism];
        watermarkMs = restoredMs;
    }

    /** A record that was read before the snapshot. */
    void readBefore(SimulatedTopic.Appended record) {
        see(record);
    }

    /** A record that was read now. */
    void read(SimulatedTopic.Appended record, boolean timely) {
        see(record).timelySinceReport |= timely;
    }

    private Partition see(SimulatedTopic.Appended record) {
        Partition partition = partitions[record.record().partition()];
        partition.offset = record.record().offset() + 1;
        if (record.valid()) {
            partition.highestTimeMs = Math.max(partition.highestTimeMs, Math.min(record.eventMs(), record.brokerMs()));
            partition.highestEventTimeMs = Math.max(partition.highestEventTimeMs, record.eventMs());
        }
        return partition;
    }

    /** The partition watermark for the record at the next offset. */
    long partitionWatermarkMs(int number) {
        return watermark(partitions[number]);
    }

    private long watermark(Partition partition) {
        return partition.highestTimeMs == Windows.NONE ? Windows.NONE : partition.highestTimeMs - rules.outOfOrdernessMs;
    }

    /** What the broker said of a partition's end. */
    void endsAt(int number, long end) {
        partitions[number].end = end;
        partitions[number].endAtMs = clockMs;
    }

    /** The partition was read since the last report of its subtask. */
    void wasRead(int number) {
        partitions[number].lastReadAtMs = clockMs;
    }

    /**
     * Notes that a subtask was able to work, and has told what it read.
     *
     * @param own whether it reads a partition
     * @return whether all have been able to since the last time, so that time passes: {@link #pass} must follow
     */
    boolean worked(int subtask, IntPredicate own) {
        for (int number = 0; number < partitions.length; number++) {
            Partition partition = partitions[number];
            if (own.test(number) && partition.timelySinceReport) {
                partition.timelySinceReport = false;
                if (all(this::idle)) {
                    // When one returns, all count as active again.
                    Arrays.stream(partitions).forEach(each -> each.lastTimelyAtMs = clockMs);
                }
                partition.lastTimelyAtMs = clockMs;
            }
        }
        worked[subtask] = true;
        for (boolean each : worked) {
            if (!each) {
                return false;
            }
        }
        Arrays.fill(worked, false);
        return true;
    }

    /** Lets a tick pass, at a time of the wall clock. */
    void pass(long nowMs) {
        clockMs += tickMs;
        long newest = Windows.NONE;
        for (Partition each : partitions) {
            newest = idle(each) ? newest : Math.max(newest, watermark(each));
        }
        long least = Long.MAX_VALUE;
        for (Partition each : partitions) {
            boolean known = newest != Windows.NONE && watermark(each) != Windows.NONE;
            if (!known || newest - watermark(each) <= rules.stragglerAfterMs) {
                each.lastNearAtMs = clockMs;
            }
            boolean straggler = clockMs - each.lastNearAtMs >= rules.partitionIdleMs && readToEnd(each);
            if (!idle(each) && !straggler) {
                least = Math.min(least, watermark(each));
            }
        }
        if (least != Long.MAX_VALUE) {
            watermarkMs = Math.max(watermarkMs, least);
        }
        if (all(each -> clockMs - each.lastTimelyAtMs >= rules.topicIdleMs && readToEnd(each))) {
            long last = Windows.NONE;
            for (Partition each : partitions) {
                last = Math.max(last, each.highestEventTimeMs);
            }
            if (last != Windows.NONE) {
                closeLastWindow(last, 60_000, nowMs);
                closeLastWindow(last, 300_000, nowMs);
            }
        }
    }

    private void closeLastWindow(long lastEventMs, long lengthMs, long nowMs) {
        long end = (Math.floorDiv(lastEventMs, lengthMs) + 1) * lengthMs;
        if (end <= nowMs - rules.outOfOrdernessMs) {
            watermarkMs = Math.max(watermarkMs, end);
        }
    }

    /** The job watermark as it must be. */
    long watermarkMs() {
        return watermarkMs;
    }

    /** No valid and timely record for so long; what nobody can read may be timely. */
    private boolean idle(Partition partition) {
        return clockMs - partition.lastTimelyAtMs >= rules.partitionIdleMs
                && (clockMs - partition.lastReadAtMs < rules.partitionIdleMs || readToEnd(partition));
    }

    private boolean readToEnd(Partition partition) {
        return partition.endAtMs != Windows.NONE
                && clockMs - partition.endAtMs <= GlobalWatermark.END_VALID_MS
                && partition.offset >= partition.end;
    }

    private boolean all(Predicate<Partition> rule) {
        return Arrays.stream(partitions).allMatch(rule);
    }
}
