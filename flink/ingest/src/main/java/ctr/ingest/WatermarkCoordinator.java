package ctr.ingest;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the job watermark, in one place of the job. Every ingest subtask reports its
 * partitions; when all have reported, the {@link GlobalWatermark} ticks and the new watermark goes to all.
 *
 * <p>Flink calls all methods in one thread. Requests to Kafka may take seconds, so a thread of their
 * own sends them; it shares only the volatile fields.
 */
final class WatermarkCoordinator implements OperatorCoordinator {

    private static final Logger LOG = LoggerFactory.getLogger(WatermarkCoordinator.class);

    /** How soon an idle topic's windows close after they may, and a failed request is repeated. */
    private static final long POLL_EVERY_MS = 1_000;

    /** Partitions are added rarely; the source looks for new ones at a similar pace. */
    private static final long COUNT_EVERY_MS = 30_000;

    private final Context context;
    private final IngestSettings settings;

    private GlobalWatermark globalWatermark;
    private final Map<Integer, SubtaskGateway> subtasks = new HashMap<>();
    private final Set<Integer> reported = new HashSet<>();

    private ScheduledExecutorService kafkaThread;

    /** As Kafka said; 0 before it has. */
    volatile int partitionCount;

    /** Next offsets that may be the end of their partitions, for Kafka to confirm; null: none. */
    volatile Map<Integer, Long> pendingEndOffsets;

    /** Offsets of which Kafka has confirmed that they were the end. */
    volatile Map<Integer, Long> confirmedEndOffsets;

    WatermarkCoordinator(Context context, IngestSettings settings) {
        this.context = context;
        this.settings = settings;
        this.globalWatermark = new GlobalWatermark(settings.timeRules);
    }

    @Override
    public void start() {
        kafkaThread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "ctr-watermark-kafka");
            thread.setDaemon(true);
            thread.setContextClassLoader(context.getUserCodeClassloader());
            return thread;
        });
        kafkaThread.scheduleWithFixedDelay(new BrokerPoller(), 0, POLL_EVERY_MS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void handleEventFromOperator(int subtask, int attemptNumber, OperatorEvent event) {
        SubtaskGateway gateway = subtasks.get(subtask);
        if (gateway == null || gateway.getExecution().getAttemptNumber() != attemptNumber) {
            return;
        }
        ProgressReport report = (ProgressReport) event;
        globalWatermark.restore(report.jobWatermarkMs);
        report.progress.forEach(globalWatermark::advance);
        for (int partition : report.activePartitions) {
            globalWatermark.active(partition);
        }
        reported.add(subtask);
        if (reported.size() == context.currentParallelism() && partitionCount > 0) {
            reported.clear();
            globalWatermark.setPartitionCount(partitionCount);
            globalWatermark.tick(PreAggregator.TICK_MS);
            closeIfTopicIdle();
        }
        if (report.jobWatermarkMs < globalWatermark.watermarkMs()) {
            gateway.sendEvent(new WatermarkAdvance(globalWatermark.watermarkMs()));
        }
    }

    private void closeIfTopicIdle() {
        if (!globalWatermark.topicIdle() || globalWatermark.closed()) {
            return;
        }
        Map<Integer, Long> position = globalWatermark.nextOffsets();
        if (position.equals(confirmedEndOffsets)) {
            globalWatermark.closeLastWindows(System.currentTimeMillis());
        }
        pendingEndOffsets = position;
    }

    @Override
    public void executionAttemptReady(int subtask, int attemptNumber, SubtaskGateway gateway) {
        subtasks.put(subtask, gateway);
    }

    @Override
    public void executionAttemptFailed(int subtask, int attemptNumber, Throwable reason) {
        subtasks.remove(subtask);
    }

    /** Subtasks all depend on each other's watermark: when one restarts, the watermark is computed anew. */
    @Override
    public void subtaskReset(int subtask, long checkpointId) {
        reset();
    }

    @Override
    public void resetToCheckpoint(long checkpointId, byte[] checkpoint) {
        reset();
    }

    private void reset() {
        globalWatermark = new GlobalWatermark(settings.timeRules);
        reported.clear();
        confirmedEndOffsets = null;
        pendingEndOffsets = null;
    }

    /** Nothing is stored: the state is with the subtasks. */
    @Override
    public void checkpointCoordinator(long checkpointId, CompletableFuture<byte[]> result) {
        result.complete(new byte[0]);
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) {}

    @Override
    public void close() {
        if (kafkaThread != null) {
            kafkaThread.shutdownNow();
        }
    }

    /** Runs in the Kafka thread, once every {@link #POLL_EVERY_MS}. */
    private final class BrokerPoller implements Runnable {

        private EndOffsets endOffsets;
        private long countedNanos;

        @Override
        public void run() {
            try {
                if (endOffsets == null) {
                    endOffsets = new EndOffsets(settings);
                }
                if (partitionCount == 0 || System.nanoTime() - countedNanos > COUNT_EVERY_MS * 1_000_000) {
                    partitionCount = endOffsets.partitionCount();
                    countedNanos = System.nanoTime();
                }
                Map<Integer, Long> position = pendingEndOffsets;
                if (position != null) {
                    pendingEndOffsets = null;
                    if (endOffsets.readToEnd(position)) {
                        confirmedEndOffsets = position;
                    }
                }
            } catch (RuntimeException unavailable) {
                LOG.warn("Kafka is unavailable ({}); polling again", unavailable.toString());
                closeConsumer();
            } finally {
                if (Thread.currentThread().isInterrupted()) {
                    closeConsumer();
                }
            }
        }

        private void closeConsumer() {
            if (endOffsets != null) {
                endOffsets.close();
                endOffsets = null;
            }
        }
    }

    /** Makes the coordinator on the JobManager. */
    static final class Provider implements OperatorCoordinator.Provider {

        private static final long serialVersionUID = 1L;

        private final OperatorID operatorId;
        private final IngestSettings settings;

        Provider(OperatorID operatorId, IngestSettings settings) {
            this.operatorId = operatorId;
            this.settings = settings;
        }

        @Override
        public OperatorID getOperatorId() {
            return operatorId;
        }

        @Override
        public OperatorCoordinator create(Context context) {
            return new WatermarkCoordinator(context, settings);
        }
    }
}
