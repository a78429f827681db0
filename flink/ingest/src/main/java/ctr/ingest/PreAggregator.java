package ctr.ingest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.TimestampType;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.apache.flink.runtime.operators.coordination.OperatorEventGateway;
import org.apache.flink.runtime.operators.coordination.OperatorEventHandler;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.types.Row;

/**
 * Decides each record's outcome and sums the counted ones, so that what flows on does not grow with the events.
 *
 * <p>A window's counts leave before the watermark that closes it and before each checkpoint barrier, so
 * nothing downstream is ever late and no count is part of this operator's state. Documents, which show open windows,
 * learn every {@link IngestSettings#flushMs} what is new. Watermarks come from the {@link WatermarkCoordinator} alone.
 */
final class PreAggregator extends AbstractStreamOperator<Row>
        implements OneInputStreamOperator<Event, Row>, OperatorEventHandler, BoundedOneInput {

    private static final long serialVersionUID = 1L;

    /** Pace of reports and of idleness: a tenth of the second that a final window may take. */
    static final long TICK_MS = 100;

    /** Beyond this, dead letters are sent before their checkpoint: a copy after a crash beats a full heap. */
    private static final long MAX_DEFERRED_BYTES = 64L << 20;

    /** A partition of the topic, as far as this subtask has read it. */
    private static final class Partition {
        final PartitionProgress progress;

        /** Outcomes of earlier offsets have been reported by another job. */
        final long reportFromOffset;

        final PartitionCounts counts;
        LedgerEntry ledger = new LedgerEntry();
        boolean activeSinceReport;

        /** Null before this subtask has read the partition. */
        LedgerEntry lastEntry;

        Partition(int number, IngestSettings settings) {
            progress = new PartitionProgress(number);
            reportFromOffset = settings.reportFromOffset.getOrDefault(number, 0L);
            counts = new PartitionCounts(settings);
        }
    }

    private final IngestSettings settings;
    private final transient OperatorEventGateway coordinator;
    private final transient RowEncoder rows;

    /** Null while no raw events are wanted. */
    private final transient RawEvents raw;

    private transient Partition[] partitions;
    private transient List<LedgerEntry> pendingLedger;
    private transient List<DeferredDeadLetter> deferredDeadLetters;
    private transient long deferredBytes;
    private transient long jobWatermarkMs;
    private transient long lastFlushMs;
    private transient boolean restoredToForward;
    private transient Counter[] outcomes;
    private transient JobLog log;
    private transient RejectionLog rejections;

    private transient VersionedListState<PartitionProgress> progressState;
    private transient ListState<Long> watermarkState;
    private transient VersionedListState<LedgerEntry> ledgerState;
    private transient VersionedListState<DeferredDeadLetter> deadLetterState;
    private transient VersionedListState<NamedSegments> namedState;
    private transient ListState<Integer> epochState;

    PreAggregator(StreamOperatorParameters<Row> parameters, IngestSettings settings, OperatorEventGateway coordinator) {
        super(parameters);
        this.settings = settings;
        this.coordinator = coordinator;
        this.rows = new RowEncoder();
        this.raw = settings.rawEventsPercent > 0 ? new RawEvents(settings.rawEventsPercent) : null;
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        log = new JobLog(PreAggregator.class, getRuntimeContext().getJobInfo().getJobId(), settings);
        rejections = new RejectionLog();
        var store = context.getOperatorStateStore();
        // The names are those of version 0.1, whose savepoints have the state under them.
        progressState = VersionedListState.union(
                store, "partition-clocks", StateFormats.PROGRESS, Version01State::progress);
        watermarkState = store.getUnionListState(new ListStateDescriptor<>("job-watermark", Long.class));
        ledgerState = VersionedListState.split(
                store, "pending-ledger", StateFormats.LEDGER_ENTRY, Version01State::ledgerEntry);
        deadLetterState = VersionedListState.split(
                store, "held-letters", StateFormats.DEFERRED_DEAD_LETTER, Version01State::deferredDeadLetter);
        namedState = VersionedListState.union(store, "named-segments", StateFormats.NAMED_SEGMENTS);
        epochState = store.getUnionListState(new ListStateDescriptor<>("topic-epoch", Integer.class));

        partitions = new Partition[0];
        pendingLedger = new ArrayList<>();
        deferredDeadLetters = new ArrayList<>();
        jobWatermarkMs = Windows.NONE;
        int restoredEpoch = restoredEpoch();
        if (restoredEpoch == settings.topicEpoch) {
            for (PartitionProgress restored : progressState.read()) {
                partition(restored.partition).progress.advanceTo(restored);
            }
            for (NamedSegments restored : namedState.read()) {
                partition(restored.partition).counts.restore(restored);
            }
        }
        // What lies downstream of all subtasks has closed what the slowest of them had announced, no more.
        Long slowest = null;
        for (Long adopted : watermarkState.get()) {
            slowest = slowest == null ? adopted : Long.valueOf(Math.min(slowest, adopted));
        }
        if (slowest != null) {
            jobWatermarkMs = slowest;
        }
        if (!settings.staging) {
            // Another job has closed the windows before.
            jobWatermarkMs = Math.max(jobWatermarkMs, settings.countFromMs);
        }
        restoredToForward = jobWatermarkMs != Windows.NONE;
        for (LedgerEntry restored : ledgerState.read()) {
            if (restoredEpoch != settings.topicEpoch) {
                restored.topic = settings.rawTopic + "@" + restoredEpoch;
            }
            pendingLedger.add(restored);
        }
        for (DeferredDeadLetter deferred : deadLetterState.read()) {
            defer(deferred);
        }
        log.info(
                context.isRestored() ? "restored" : "started",
                "subtask", getRuntimeContext().getTaskInfo().getIndexOfThisSubtask(),
                "checkpoint", context.getRestoredCheckpointId().isPresent() ? context.getRestoredCheckpointId().getAsLong() : "none",
                "job_watermark", JobLog.time(jobWatermarkMs),
                "pending_ledger_rows", pendingLedger.size(),
                "deferred_dead_letters", deferredDeadLetters.size());
    }

    /** In which epoch of the topic the restored offsets were read; before there was a second, nobody noted it. */
    private int restoredEpoch() throws Exception {
        int newest = 1;
        for (Integer written : epochState.get()) {
            newest = Math.max(newest, written);
        }
        return newest;
    }

    @Override
    public void open() throws Exception {
        super.open();
        MetricGroup group = getMetricGroup().addGroup("ctr");
        outcomes = Arrays.stream(Outcome.values()).map(outcome -> group.counter(outcome.reason())).toArray(Counter[]::new);
        group.gauge("jobWatermark", () -> jobWatermarkMs);
        scheduleTick();
    }

    @Override
    public void processElement(StreamRecord<Event> element) {
        Event event = element.getValue();
        Partition partition = partition(event.record.partition());
        if (event.record.offset() < partition.progress.nextOffset) {
            throw TopicReplaced.offsetsGoBack(event.record, partition.progress.nextOffset);
        }
        boolean afterIdleness = false;
        if (event.outcome == Outcome.COUNTED) {
            if (raw != null && raw.wants(event)) {
                output.collect(Ingest.RAW_EVENTS, new StreamRecord<>(raw.row(event)));
            }
            long watermark = partition.progress.watermark(settings.timeRules);
            partition.progress.addValid(event.timestampMs, brokerTimeMs(event.record));
            long windowStart = Windows.start(event.timestampMs, Windows.ONE_MINUTE_MS);
            long windowEnd = windowStart + Windows.ONE_MINUTE_MS;
            if (windowEnd <= watermark) {
                event.reject(Outcome.LATE, "its window ended at " + windowEnd + ", the partition watermark is " + watermark);
            } else if (windowEnd <= jobWatermarkMs) {
                afterIdleness = true;
                event.reject(Outcome.LATE, "its window ended at " + windowEnd + ", the job watermark is " + jobWatermarkMs);
            } else {
                partition.activeSinceReport = true;
                if (windowStart >= settings.countFromMs && windowStart < settings.countUntilMs) {
                    partition.counts.add(windowStart, event);
                }
            }
        }
        partition.progress.nextOffset = event.record.offset() + 1;
        if (event.record.offset() < partition.reportFromOffset) {
            return;
        }
        partition.ledger.add(event.record.offset(), event.outcome);
        outcomes[event.outcome.ordinal()].inc();
        if (event.outcome != Outcome.COUNTED) {
            rejections.add(event);
            DeadLetter deadLetter = DeadLetter.of(
                    event.record, settings.topicId, event.outcome, event.problem, settings.deadLetterMaxBytes);
            // The job watermark at this record may differ after a restore, so this outcome is only certain once a
            // checkpoint has seen it; by partition content it is certain at once.
            if (afterIdleness && deferredBytes < MAX_DEFERRED_BYTES) {
                defer(new DeferredDeadLetter(deadLetter));
            } else {
                send(deadLetter);
            }
        }
    }

    /** When the broker wrote a record; a time that the producer gave instead is not believed. */
    private static long brokerTimeMs(ConsumerRecord<byte[], byte[]> record) {
        return record.timestampType() == TimestampType.LOG_APPEND_TIME ? record.timestamp() : Windows.NONE;
    }

    private Partition partition(int number) {
        if (number >= partitions.length) {
            partitions = Arrays.copyOf(partitions, number + 1);
        }
        if (partitions[number] == null) {
            partitions[number] = new Partition(number, settings);
        }
        return partitions[number];
    }

    private void defer(DeferredDeadLetter deferred) {
        deferredDeadLetters.add(deferred);
        deferredBytes += deferred.deadLetter.bytes();
    }

    private void send(DeadLetter deadLetter) {
        output.collect(Ingest.DEAD_LETTERS, new StreamRecord<>(deadLetter));
    }

    // ---- time ------------------------------------------------------------------------------------

    private void scheduleTick() {
        long at = getProcessingTimeService().getCurrentProcessingTime() + TICK_MS;
        getProcessingTimeService().registerTimer(at, this::tick);
    }

    private void tick(long nowMs) throws Exception {
        if (restoredToForward) {
            restoredToForward = false;
            sendCompleted(Long.MAX_VALUE);
            output.emitWatermark(new Watermark(jobWatermarkMs - 1));
        }
        if (nowMs - lastFlushMs >= settings.flushMs) {
            lastFlushMs = nowMs;
            sendDocuments(Long.MAX_VALUE);
            forgetEnded();
        }
        Object[] rejected = rejections.due(nowMs);
        if (rejected.length > 0) {
            log.info("rejected", rejected);
        }
        if (!settings.staging) {
            report();
        }
        scheduleTick();
    }

    private void report() {
        List<PartitionProgress> progress = new ArrayList<>();
        IntStream.Builder active = IntStream.builder();
        for (Partition partition : partitions) {
            if (partition != null) {
                progress.add(partition.progress.copy());
                if (partition.activeSinceReport) {
                    partition.activeSinceReport = false;
                    active.add(partition.progress.partition);
                }
            }
        }
        coordinator.sendEventToCoordinator(new ProgressReport(jobWatermarkMs, progress, active.build().toArray()));
    }

    @Override
    public void handleOperatorEvent(OperatorEvent event) {
        long advanced = ((WatermarkAdvance) event).jobWatermarkMs;
        if (advanced > jobWatermarkMs) {
            sendDocuments(advanced);
            sendCounts(advanced);
            jobWatermarkMs = advanced;
            // Flink closes a window at its end minus 1 ms; the contract closes it at its end.
            output.emitWatermark(new Watermark(advanced - 1));
        }
    }

    /** Of the source's watermarks only the last, at its end, goes on. */
    @Override
    public void processWatermark(Watermark mark) {
        if (mark.equals(Watermark.MAX_WATERMARK)) {
            sendAll();
            output.emitWatermark(mark);
        }
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) {
        // Idleness is the coordinator's business and never goes downstream.
    }

    private void sendAll() {
        sendDocuments(Long.MAX_VALUE);
        sendCounts(Long.MAX_VALUE);
    }

    /** Send the documents what they lack of the windows that end by {@code endMs}. */
    private void sendDocuments(long endMs) {
        if (!settings.staging) {
            handOn(PartitionCounts.Receiver.DOCUMENTS, endMs)
                    .forEach((windowStart, sums) -> output.collect(Ingest.DOCUMENTS, rows.delta(windowStart, sums)));
        }
    }

    /** Send the windows what they lack: only a window that closes needs it. */
    private void sendCounts(long endMs) {
        send(handOn(PartitionCounts.Receiver.WINDOWS, endMs));
    }

    private void send(Map<Long, Map<Segment, long[]>> sums) {
        sums.forEach((windowStart, bySegment) -> bySegment.forEach((segment, each) ->
                output.collect(new StreamRecord<>(rows.count(segment, each), windowStart))));
    }

    private Map<Long, Map<Segment, long[]>> handOn(PartitionCounts.Receiver receiver, long endMs) {
        Map<Long, Map<Segment, long[]>> sums = new TreeMap<>();
        for (Partition partition : partitions) {
            if (partition != null) {
                partition.counts.handOn(receiver, endMs, sums);
            }
        }
        return sums;
    }

    /** Where all further events of a window would be late, its segments need no memory. */
    private void forgetEnded() {
        Map<Long, Map<Segment, long[]>> sums = new TreeMap<>();
        for (Partition partition : partitions) {
            if (partition != null) {
                long endMs = Math.max(partition.progress.watermark(settings.timeRules), jobWatermarkMs);
                partition.counts.handOn(PartitionCounts.Receiver.WINDOWS, endMs, sums);
                partition.counts.forget(endMs);
            }
        }
        send(sums);
    }

    // ---- checkpoints -----------------------------------------------------------------------------

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) {
        sendAll();
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        closeLedger(context.getCheckpointId());
        deferredDeadLetters.stream()
                .filter(deferred -> deferred.checkpointId == 0)
                .forEach(deferred -> deferred.checkpointId = context.getCheckpointId());
        progressState.write(
                Arrays.stream(partitions).filter(Objects::nonNull).map(partition -> partition.progress).toList());
        watermarkState.update(List.of(jobWatermarkMs));
        epochState.update(List.of(settings.topicEpoch));
        ledgerState.write(pendingLedger);
        deadLetterState.write(deferredDeadLetters);
        namedState.write(Arrays.stream(partitions)
                .filter(Objects::nonNull)
                .flatMap(partition -> partition.counts.named(partition.progress.partition).stream())
                .toList());
    }

    private void closeLedger(long checkpointId) {
        for (Partition partition : partitions) {
            if (partition == null) {
                continue;
            }
            if (partition.ledger.recordsRead > 0) {
                LedgerEntry entry = partition.ledger;
                partition.ledger = new LedgerEntry();
                entry.topic = settings.rawTopic;
                entry.partition = partition.progress.partition;
                entry.checkpointId = checkpointId;
                entry.jobId = getRuntimeContext().getJobInfo().getJobId().toHexString();
                entry.runStartedMs = settings.runStartedMs;
                entry.jobWatermarkMs = Math.max(0, jobWatermarkMs);
                pendingLedger.add(entry);
                partition.lastEntry = entry;
            } else if (partition.lastEntry != null
                    && jobWatermarkMs >= Windows.oneMinuteEnd(partition.lastEntry.jobWatermarkMs)) {
                // Windows also close after the last record: its entry is written again, but no more often than
                // that, for readers believe a row only when it has not changed for some seconds.
                partition.lastEntry = partition.lastEntry.closedUntil(jobWatermarkMs);
                pendingLedger.add(partition.lastEntry);
            }
        }
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        super.notifyCheckpointComplete(checkpointId);
        sendCompleted(checkpointId);
        deadLetterState.release();
        namedState.release();
    }

    /** Send what a complete checkpoint holds; after a crash the restored copy is sent again. */
    private void sendCompleted(long checkpointId) {
        for (Iterator<LedgerEntry> entries = pendingLedger.iterator(); entries.hasNext(); ) {
            LedgerEntry entry = entries.next();
            if (entry.checkpointId <= checkpointId) {
                output.collect(Ingest.LEDGER, new StreamRecord<>(rows.ledger(entry)));
                entries.remove();
            }
        }
        for (Iterator<DeferredDeadLetter> iterator = deferredDeadLetters.iterator(); iterator.hasNext(); ) {
            DeferredDeadLetter deferred = iterator.next();
            if (deferred.checkpointId != 0 && deferred.checkpointId <= checkpointId) {
                send(deferred.deadLetter);
                deferredBytes -= deferred.deadLetter.bytes();
                iterator.remove();
            }
        }
    }

    /** Sends the rest of a bounded topic: no checkpoint may follow that could. */
    @Override
    public void endInput() {
        sendAll();
        closeLedger(Long.MAX_VALUE);
        deferredDeadLetters.forEach(deferred -> deferred.checkpointId = Long.MAX_VALUE);
        sendCompleted(Long.MAX_VALUE);
    }
}
