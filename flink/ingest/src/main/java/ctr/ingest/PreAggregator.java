package ctr.ingest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
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
 * Runs {@link Accounting} in Flink: its state, its clock, its rows, so that what flows on does not grow with the events.
 * Watermarks come from the {@link WatermarkCoordinator} alone.
 */
final class PreAggregator extends AbstractStreamOperator<Row>
        implements OneInputStreamOperator<Event, Row>, OperatorEventHandler, BoundedOneInput {

    private static final long serialVersionUID = 1L;

    /** Pace of reports and of idleness: a tenth of the second that a final window may take. */
    static final long TICK_MS = 100;

    private final IngestSettings settings;
    private final transient OperatorEventGateway coordinator;
    private final transient RowEncoder rows;

    /** Null while no raw events are wanted. */
    private final transient RawEvents raw;

    private transient Accounting accounting;
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
        this.raw = settings.rawEventsPercent > 0 ? new RawEvents(settings) : null;
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

        List<Long> watermarks = new ArrayList<>();
        watermarkState.get().forEach(watermarks::add);
        Accounting.State restored = new Accounting.State(
                restoredEpoch(),
                progressState.read(),
                watermarks,
                ledgerState.read(),
                deadLetterState.read(),
                namedState.read());
        String jobId = getRuntimeContext().getJobInfo().getJobId().toHexString();
        accounting = new Accounting(settings, jobId, restored, new Rows());
        log.info(
                context.isRestored() ? "restored" : "started",
                "subtask", getRuntimeContext().getTaskInfo().getIndexOfThisSubtask(),
                "checkpoint", context.getRestoredCheckpointId().isPresent() ? context.getRestoredCheckpointId().getAsLong() : "none",
                "job_watermark", JobLog.time(accounting.jobWatermarkMs()),
                "pending_ledger_rows", restored.ledger().size(),
                "deferred_dead_letters", restored.deadLetters().size());
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
        group.gauge("jobWatermark", () -> accounting.jobWatermarkMs());
        scheduleTick();
    }

    @Override
    public void processElement(StreamRecord<Event> element) {
        Event event = element.getValue();
        if (raw != null && event.outcome == Outcome.COUNTED && raw.wants(event)) {
            output.collect(raw.output, new StreamRecord<>(raw.row(event)));
        }
        if (accounting.add(event)) {
            outcomes[event.outcome.ordinal()].inc();
            if (event.outcome != Outcome.COUNTED) {
                rejections.add(event);
            }
        }
    }

    // ---- time ------------------------------------------------------------------------------------

    private void scheduleTick() {
        long at = getProcessingTimeService().getCurrentProcessingTime() + TICK_MS;
        getProcessingTimeService().registerTimer(at, this::tick);
    }

    private void tick(long nowMs) {
        accounting.tick(nowMs);
        Object[] rejected = rejections.due(nowMs);
        if (rejected.length > 0) {
            log.info("rejected", rejected);
        }
        if (!settings.staging) {
            coordinator.sendEventToCoordinator(accounting.report());
        }
        scheduleTick();
    }

    @Override
    public void handleOperatorEvent(OperatorEvent event) {
        WatermarkAdvance advance = (WatermarkAdvance) event;
        accounting.advance(advance.jobWatermarkMs, advance.adoptedByAllMs);
    }

    /** Of the source's watermarks only the last, at its end, goes on. */
    @Override
    public void processWatermark(Watermark mark) {
        if (mark.equals(Watermark.MAX_WATERMARK)) {
            accounting.sendAll();
            output.emitWatermark(mark);
        }
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) {
        // Idleness is the coordinator's business and never goes downstream.
    }

    /** Puts what leaves into the operator's outputs. */
    private final class Rows implements Accounting.Output {

        @Override
        public void counts(long windowStart, Map<Segment, long[]> sums) {
            sums.forEach((segment, each) ->
                    output.collect(new StreamRecord<>(rows.count(segment, each), windowStart)));
        }

        @Override
        public void documents(long windowStart, Map<Segment, long[]> sums) {
            output.collect(Ingest.DOCUMENTS, rows.delta(windowStart, sums));
        }

        /** Flink closes a window at its end minus 1 ms; the contract closes it at its end. */
        @Override
        public void closed(long jobWatermarkMs) {
            output.emitWatermark(new Watermark(jobWatermarkMs - 1));
        }

        @Override
        public void deadLetter(DeadLetter deadLetter) {
            output.collect(Ingest.DEAD_LETTERS, new StreamRecord<>(deadLetter));
        }

        @Override
        public void ledger(LedgerEntry entry) {
            output.collect(Ingest.LEDGER, new StreamRecord<>(rows.ledger(entry)));
        }
    }

    // ---- checkpoints -----------------------------------------------------------------------------

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) {
        accounting.sendAll();
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        Accounting.State state = accounting.checkpoint(context.getCheckpointId());
        epochState.update(List.of(state.topicEpoch()));
        progressState.write(state.progress());
        watermarkState.update(state.jobWatermarksMs());
        ledgerState.write(state.ledger());
        deadLetterState.write(state.deadLetters());
        namedState.write(state.named());
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        super.notifyCheckpointComplete(checkpointId);
        accounting.sendCompleted(checkpointId);
        deadLetterState.release();
        namedState.release();
    }

    @Override
    public void endInput() {
        accounting.end();
    }
}
