package ctr.front;

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
 * The one place of the job where the job watermark is made. Every combiner subtask reports its
 * partitions; when all have reported, the {@link JobClock} ticks and the new watermark goes to all.
 *
 * <p>Flink calls all methods in one thread. Questions to Kafka may take seconds, so a thread of their
 * own asks them; it shares only the volatile fields.
 */
final class WatermarkCoordinator implements OperatorCoordinator {

    private static final Logger LOG = LoggerFactory.getLogger(WatermarkCoordinator.class);

    /** How soon a silent topic's windows close after they may, and a failed question is asked again. */
    private static final long ASK_EVERY_MS = 1_000;

    /** Partitions are added rarely; the source looks for new ones at a similar pace. */
    private static final long COUNT_EVERY_MS = 30_000;

    private final Context context;
    private final FrontSettings settings;

    private JobClock clock = new JobClock();
    private final Map<Integer, SubtaskGateway> subtasks = new HashMap<>();
    private final Set<Integer> reported = new HashSet<>();

    private ScheduledExecutorService kafkaThread;

    /** Kafka's answer; 0 before there is one. */
    volatile int partitionCount;

    /** The question to Kafka: is nothing left to read at these offsets? Null for none. */
    volatile Map<Integer, Long> isThisTheEnd;

    /** Kafka's answer: at these offsets nothing was. */
    volatile Map<Integer, Long> provenEnd;

    WatermarkCoordinator(Context context, FrontSettings settings) {
        this.context = context;
        this.settings = settings;
    }

    @Override
    public void start() {
        kafkaThread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "ctr-watermark-kafka");
            thread.setDaemon(true);
            thread.setContextClassLoader(context.getUserCodeClassloader());
            return thread;
        });
        kafkaThread.scheduleWithFixedDelay(new Questions(), 0, ASK_EVERY_MS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void handleEventFromOperator(int subtask, int attemptNumber, OperatorEvent event) {
        SubtaskGateway gateway = subtasks.get(subtask);
        if (gateway == null || gateway.getExecution().getAttemptNumber() != attemptNumber) {
            return;
        }
        ProgressReport report = (ProgressReport) event;
        clock.restore(report.jobWatermarkMs);
        report.clocks.forEach(clock::advance);
        for (int partition : report.activePartitions) {
            clock.active(partition);
        }
        reported.add(subtask);
        if (reported.size() == context.currentParallelism() && partitionCount > 0) {
            reported.clear();
            clock.setPartitionCount(partitionCount);
            clock.tick(Combiner.TICK_MS);
            closeIfSilent();
        }
        if (report.jobWatermarkMs < clock.watermarkMs()) {
            gateway.sendEvent(new WatermarkAdvance(clock.watermarkMs()));
        }
    }

    private void closeIfSilent() {
        if (!clock.silent() || clock.closed()) {
            return;
        }
        Map<Integer, Long> position = clock.nextOffsets();
        if (position.equals(provenEnd)) {
            clock.closeLastWindows(System.currentTimeMillis());
        }
        isThisTheEnd = position;
    }

    @Override
    public void executionAttemptReady(int subtask, int attemptNumber, SubtaskGateway gateway) {
        subtasks.put(subtask, gateway);
    }

    @Override
    public void executionAttemptFailed(int subtask, int attemptNumber, Throwable reason) {
        subtasks.remove(subtask);
    }

    /** Subtasks all depend on each other's watermark: when one starts anew, so does the clock. */
    @Override
    public void subtaskReset(int subtask, long checkpointId) {
        startAnew();
    }

    @Override
    public void resetToCheckpoint(long checkpointId, byte[] checkpoint) {
        startAnew();
    }

    private void startAnew() {
        clock = new JobClock();
        reported.clear();
        provenEnd = null;
        isThisTheEnd = null;
    }

    /** The subtasks hold all there is to remember. */
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

    /** Runs in the Kafka thread, once every {@link #ASK_EVERY_MS}. */
    private final class Questions implements Runnable {

        private TopicEnd topic;
        private long countedNanos;

        @Override
        public void run() {
            try {
                if (topic == null) {
                    topic = new TopicEnd(settings);
                }
                if (partitionCount == 0 || System.nanoTime() - countedNanos > COUNT_EVERY_MS * 1_000_000) {
                    partitionCount = topic.partitionCount();
                    countedNanos = System.nanoTime();
                }
                Map<Integer, Long> position = isThisTheEnd;
                if (position != null) {
                    isThisTheEnd = null;
                    if (topic.readToEnd(position)) {
                        provenEnd = position;
                    }
                }
            } catch (RuntimeException away) {
                LOG.warn("Kafka does not answer ({}); asking again", away.toString());
                closeTopic();
            } finally {
                if (Thread.currentThread().isInterrupted()) {
                    closeTopic();
                }
            }
        }

        private void closeTopic() {
            if (topic != null) {
                topic.close();
                topic = null;
            }
        }
    }

    /** Makes the coordinator on the JobManager. */
    static final class Provider implements OperatorCoordinator.Provider {

        private static final long serialVersionUID = 1L;

        private final OperatorID operatorId;
        private final FrontSettings settings;

        Provider(OperatorID operatorId, FrontSettings settings) {
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
