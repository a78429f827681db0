package ctr.ingest;

import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Takes the subtasks' reports to the {@link GlobalWatermark}, for which time passes when every subtask has reported: a
 * round. Plain logic: {@link WatermarkCoordinator} runs it in Flink, and {@code Simulation} on a virtual clock.
 */
final class WatermarkRounds {

    /** What is known of the broker. */
    interface Broker {

        /** 0 before it has answered: until then no time passes. */
        int partitionCount();

        /** Where reading ends, by partition, as it has said since the last call; null: nothing. */
        Map<Integer, Long> takeEndOffsets();
    }

    /** Told what a person may want to know. */
    interface Listener {

        /** The watermark may have advanced without these partitions, or because the whole topic is idle. */
        void advanced(String event, Set<Integer> passedOver, long fromMs, long toMs);
    }

    private final GlobalWatermark watermark;
    private final Broker broker;
    private final Listener listener;
    private final long tickMs;
    private final Set<Integer> reported = new HashSet<>();

    /** By subtask, what it had adopted when it last reported. */
    private final Map<Integer, Long> adopted = new HashMap<>();

    private long adoptedByAllMs = Windows.NONE;

    /** @param tickMs how often each subtask reports */
    WatermarkRounds(TimeRules rules, Broker broker, Listener listener, long tickMs) {
        this.watermark = new GlobalWatermark(rules);
        this.broker = broker;
        this.listener = listener;
        this.tickMs = tickMs;
    }

    /**
     * Takes a subtask's report.
     *
     * @param parallelism how many subtasks report
     * @param nowMs the wall clock
     * @return whether it ended a round
     */
    boolean report(int subtask, int parallelism, ProgressReport report, long nowMs) {
        watermark.restore(report.jobWatermarkMs);
        report.progress.forEach(watermark::advance);
        for (int partition : report.activePartitions) {
            watermark.active(partition);
        }
        reported.add(subtask);
        adopted.put(subtask, report.jobWatermarkMs);
        if (reported.size() < parallelism || broker.partitionCount() == 0) {
            return false;
        }
        reported.clear();
        adoptedByAllMs = Collections.min(adopted.values());
        tick(nowMs);
        return true;
    }

    private void tick(long nowMs) {
        watermark.setPartitionCount(broker.partitionCount());
        Map<Integer, Long> ends = broker.takeEndOffsets();
        if (ends != null) {
            ends.forEach(watermark::endsAt);
        }
        Set<Integer> passedOver = watermark.passedOver();
        long before = watermark.watermarkMs();
        watermark.tick(tickMs);
        if (!watermark.passedOver().equals(passedOver)) {
            listener.advanced("partitions_passed_over", watermark.passedOver(), before, watermark.watermarkMs());
        }
        if (watermark.topicIdle() && !watermark.closed()) {
            before = watermark.watermarkMs();
            watermark.closeLastWindows(nowMs);
            if (watermark.watermarkMs() > before) {
                listener.advanced("topic_idle", watermark.passedOver(), before, watermark.watermarkMs());
            }
        }
    }

    long watermarkMs() {
        return watermark.watermarkMs();
    }

    /** {@link Windows#NONE} before the first round has ended. */
    long adoptedByAllMs() {
        return adoptedByAllMs;
    }

    /** Next offset to read, by partition: 0 where nothing was read yet. */
    Map<Integer, Long> nextOffsets() {
        return watermark.nextOffsets();
    }
}
