package ctr.ingest;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.TopicDescription;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.errors.InterruptException;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;

/**
 * Makes the job watermark, in one place of the job. Every ingest subtask reports its
 * partitions to its {@link WatermarkRounds}, and learns the watermark that follows.
 *
 * <p>Flink calls all methods in one thread. Requests to Kafka may take seconds, so a thread of their
 * own sends them; it shares only the volatile fields.
 */
final class WatermarkCoordinator implements OperatorCoordinator {

    /**
     * How soon an idle topic's windows close after they may, and a failed request is repeated. Also how long a new
     * partition may go unnoticed: less than the watermark trails the events, so its first ones are not late.
     */
    private static final long POLL_EVERY_MS = 1_000;

    /** A request to Kafka ends at once when it is interrupted. */
    private static final long CLOSE_WITHIN_MS = 2_000;

    private final Context context;
    private final IngestSettings settings;
    private final JobLog log;

    private WatermarkRounds rounds;
    private final Map<Integer, SubtaskGateway> subtasks = new HashMap<>();

    private ScheduledExecutorService kafkaThread;
    private BrokerPoller poller;
    private Future<?> polling;

    /** As Kafka said; 0 before it has. */
    volatile int partitionCount;

    /** Next offset to read by partition, for Kafka to say what follows. */
    volatile Map<Integer, Long> nextOffsets = Map.of();

    /** Where reading ends, by partition, as Kafka said since the last tick; null: nothing. */
    final AtomicReference<Map<Integer, Long>> endOffsets = new AtomicReference<>();

    WatermarkCoordinator(Context context, IngestSettings settings) {
        this.context = context;
        this.settings = settings;
        this.log = new JobLog(WatermarkCoordinator.class, context.getJobID(), settings);
        this.rounds = rounds();
    }

    private WatermarkRounds rounds() {
        WatermarkRounds.Broker broker = new WatermarkRounds.Broker() {
            @Override
            public int partitionCount() {
                return partitionCount;
            }

            @Override
            public Map<Integer, Long> takeEndOffsets() {
                return endOffsets.getAndSet(null);
            }
        };
        return new WatermarkRounds(settings.timeRules, broker, this::logAdvance, PreAggregator.TICK_MS);
    }

    @Override
    public void start() {
        log.info("started", "from", settings.restoreFrom.isEmpty() ? "the topic's beginning" : settings.restoreFrom);
        kafkaThread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "ctr-watermark-kafka");
            thread.setDaemon(true);
            thread.setContextClassLoader(context.getUserCodeClassloader());
            return thread;
        });
        poller = new BrokerPoller();
        polling = kafkaThread.scheduleWithFixedDelay(poller, 0, POLL_EVERY_MS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void handleEventFromOperator(int subtask, int attemptNumber, OperatorEvent event) {
        SubtaskGateway gateway = subtasks.get(subtask);
        if (gateway == null || gateway.getExecution().getAttemptNumber() != attemptNumber) {
            return;
        }
        ProgressReport report = (ProgressReport) event;
        if (rounds.report(subtask, context.currentParallelism(), report, System.currentTimeMillis())) {
            nextOffsets = rounds.nextOffsets();
        }
        if (report.jobWatermarkMs < rounds.watermarkMs()) {
            gateway.sendEvent(new WatermarkAdvance(rounds.watermarkMs(), rounds.adoptedByAllMs()));
        }
    }

    private void logAdvance(String event, Set<Integer> passedOver, long fromMs, long toMs) {
        log.info(
                event,
                "passed_over", passedOver,
                "watermark_from", JobLog.time(fromMs),
                "watermark_to", JobLog.time(toMs));
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
        log.info("restored", "checkpoint", checkpointId);
        reset();
    }

    private void reset() {
        rounds = rounds();
        endOffsets.set(null);
    }

    /** Nothing is stored: the state is with the subtasks. */
    @Override
    public void checkpointCoordinator(long checkpointId, CompletableFuture<byte[]> result) {
        result.complete(new byte[0]);
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) {}

    /** Ends the request in progress and closes the connections: on a session cluster the next job follows in this process. */
    @Override
    public void close() throws InterruptedException {
        if (kafkaThread == null) {
            return;
        }
        polling.cancel(true);
        kafkaThread.execute(poller::disconnect);
        kafkaThread.shutdown();
        if (!kafkaThread.awaitTermination(CLOSE_WITHIN_MS, TimeUnit.MILLISECONDS)) {
            log.warn("kafka_thread_lives", "after_ms", CLOSE_WITHIN_MS);
        }
    }

    /** Runs in the Kafka thread, once every {@link #POLL_EVERY_MS}. */
    private final class BrokerPoller implements Runnable {

        private BrokerState broker;

        @Override
        public void run() {
            try {
                if (broker == null) {
                    broker = new BrokerState(settings);
                }
                TopicDescription topic = broker.topic();
                if (settings.topicId != null && !settings.topicId.equals(topic.topicId().toString())) {
                    context.failJob(TopicReplaced.idIsAnother(topic, settings.topicId));
                    return;
                }
                partitionCount = topic.partitions().size();
                endOffsets.set(broker.endOffsets(nextOffsets));
            } catch (InterruptException closing) {
                // The job ends.
            } catch (RuntimeException unavailable) {
                log.warn("kafka_unavailable", "problem", unavailable);
                disconnect();
            } catch (Error fatal) {
                // The executor would drop the task in silence, and no window would close any more.
                context.failJob(fatal);
                throw fatal;
            }
        }

        void disconnect() {
            if (broker != null) {
                broker.close();
                broker = null;
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
