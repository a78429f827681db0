package ctr.front;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
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
 * Decides each record's fate and adds the counted ones up, so that a few thousand rows per second flow
 * on however many events come in.
 *
 * <p>A window's counts leave before the watermark that closes it and before each checkpoint barrier, so
 * nothing downstream is ever late and no count is part of this operator's state. Watermarks come from
 * the {@link WatermarkCoordinator} alone.
 */
final class Combiner extends AbstractStreamOperator<Row>
        implements OneInputStreamOperator<Event, Row>, OperatorEventHandler, BoundedOneInput {

    private static final long serialVersionUID = 1L;

    /** Pace of reports and of idleness: a tenth of the second that a final window may take. */
    static final long TICK_MS = 100;

    /** Beyond this, letters are sent before their checkpoint: a copy after a crash beats a full heap. */
    private static final long MAX_HELD_BYTES = 64L << 20;

    /** What this subtask knows of a partition. */
    private static final class Partition {
        final PartitionClock clock;

        /** Fates of earlier offsets have been told by another job. */
        final long tellFrom;

        LedgerEntry ledger = new LedgerEntry();
        boolean activeSinceReport;

        Partition(PartitionClock clock, long tellFrom) {
            this.clock = clock;
            this.tellFrom = tellFrom;
        }
    }

    private final FrontSettings settings;
    private final transient OperatorEventGateway coordinator;
    private final transient PartialCounts partials;
    private final transient RowEncoder rows;

    /** Null while no raw events are wanted. */
    private final transient RawEvents raw;

    private transient Partition[] partitions;
    private transient List<LedgerEntry> pendingLedger;
    private transient List<HeldLetter> heldLetters;
    private transient long heldBytes;
    private transient long jobWatermarkMs;
    private transient long lastFlushMs;
    private transient boolean restoredToForward;
    private transient Counter[] fates;

    private transient ListState<PartitionClock> clockState;
    private transient ListState<Long> watermarkState;
    private transient ListState<LedgerEntry> ledgerState;
    private transient ListState<HeldLetter> letterState;

    Combiner(StreamOperatorParameters<Row> parameters, FrontSettings settings, OperatorEventGateway coordinator) {
        super(parameters);
        this.settings = settings;
        this.coordinator = coordinator;
        this.partials = new PartialCounts(settings.dimensions.size(), settings.measures.size());
        this.rows = new RowEncoder();
        this.raw = settings.rawEventsPercent > 0 ? new RawEvents(settings.rawEventsPercent) : null;
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        var store = context.getOperatorStateStore();
        clockState = store.getUnionListState(new ListStateDescriptor<>("partition-clocks", PartitionClock.class));
        watermarkState = store.getUnionListState(new ListStateDescriptor<>("job-watermark", Long.class));
        ledgerState = store.getListState(new ListStateDescriptor<>("pending-ledger", LedgerEntry.class));
        letterState = store.getListState(new ListStateDescriptor<>("held-letters", HeldLetter.class));

        partitions = new Partition[0];
        pendingLedger = new ArrayList<>();
        heldLetters = new ArrayList<>();
        jobWatermarkMs = Windows.NONE;
        for (PartitionClock clock : clockState.get()) {
            partition(clock.partition).clock.advanceTo(clock);
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
        ledgerState.get().forEach(pendingLedger::add);
        for (HeldLetter held : letterState.get()) {
            hold(held);
        }
    }

    @Override
    public void open() throws Exception {
        super.open();
        MetricGroup group = getMetricGroup().addGroup("ctr");
        fates = Arrays.stream(Fate.values()).map(fate -> group.counter(fate.reason())).toArray(Counter[]::new);
        group.gauge("jobWatermark", () -> jobWatermarkMs);
        scheduleTick();
    }

    @Override
    public void processElement(StreamRecord<Event> element) {
        Event event = element.getValue();
        Partition partition = partition(event.record.partition());
        boolean afterIdleness = false;
        if (event.fate == Fate.COUNTED) {
            if (raw != null && raw.wants(event)) {
                output.collect(Front.RAW_EVENTS, new StreamRecord<>(raw.row(event)));
            }
            long watermark = partition.clock.watermark();
            partition.activeSinceReport = true;
            if (event.timestampMs > partition.clock.highestEventTimeMs) {
                partition.clock.highestEventTimeMs = event.timestampMs;
            }
            long windowStart = Windows.start(event.timestampMs, Windows.ONE_MINUTE_MS);
            long windowEnd = windowStart + Windows.ONE_MINUTE_MS;
            if (windowEnd <= watermark) {
                event.refuse(Fate.LATE, "its window ended at " + windowEnd + ", the partition watermark is " + watermark);
            } else if (windowEnd <= jobWatermarkMs) {
                afterIdleness = true;
                event.refuse(Fate.LATE, "its window ended at " + windowEnd + ", the job watermark is " + jobWatermarkMs);
            } else if (windowStart >= settings.countFromMs && windowStart < settings.countUntilMs) {
                partials.add(windowStart, event);
            }
        }
        partition.clock.nextOffset = event.record.offset() + 1;
        if (event.record.offset() < partition.tellFrom) {
            return;
        }
        partition.ledger.add(event.record.offset(), event.fate);
        fates[event.fate.ordinal()].inc();
        if (event.fate != Fate.COUNTED) {
            Letter letter = Letter.of(event.record, event.fate, event.problem);
            // The job watermark at this record may differ after a restore, so this fate is only certain once a
            // checkpoint has seen it; by partition content it is certain at once.
            if (afterIdleness && heldBytes < MAX_HELD_BYTES) {
                hold(new HeldLetter(letter));
            } else {
                send(letter);
            }
        }
    }

    private Partition partition(int number) {
        if (number >= partitions.length) {
            partitions = Arrays.copyOf(partitions, number + 1);
        }
        if (partitions[number] == null) {
            partitions[number] = new Partition(new PartitionClock(number), settings.ledgerFrom.getOrDefault(number, 0L));
        }
        return partitions[number];
    }

    private void hold(HeldLetter held) {
        heldLetters.add(held);
        heldBytes += held.letter.bytes();
    }

    private void send(Letter letter) {
        output.collect(Front.LETTERS, new StreamRecord<>(letter));
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
            flush();
        }
        if (!settings.staging) {
            report();
        }
        scheduleTick();
    }

    private void report() {
        List<PartitionClock> clocks = new ArrayList<>();
        IntStream.Builder active = IntStream.builder();
        for (Partition partition : partitions) {
            if (partition != null) {
                clocks.add(partition.clock.copy());
                if (partition.activeSinceReport) {
                    partition.activeSinceReport = false;
                    active.add(partition.clock.partition);
                }
            }
        }
        coordinator.sendEventToCoordinator(new ProgressReport(jobWatermarkMs, clocks, active.build().toArray()));
    }

    @Override
    public void handleOperatorEvent(OperatorEvent event) {
        long advanced = ((WatermarkAdvance) event).jobWatermarkMs;
        if (advanced > jobWatermarkMs) {
            flush();
            jobWatermarkMs = advanced;
            // Flink closes a window at its end minus 1 ms; the contract closes it at its end.
            output.emitWatermark(new Watermark(advanced - 1));
        }
    }

    /** The source has no say in time, except that it ends. */
    @Override
    public void processWatermark(Watermark mark) {
        if (mark.equals(Watermark.MAX_WATERMARK)) {
            flush();
            output.emitWatermark(mark);
        }
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) {
        // Idleness is the coordinator's business and never goes downstream.
    }

    private void flush() {
        if (!partials.isEmpty()) {
            partials.byWindow().forEach((windowStart, counts) -> {
                counts.forEach((segment, sums) ->
                        output.collect(new StreamRecord<>(rows.count(segment, sums), windowStart)));
                if (settings.staging) {
                    return;
                }
                String json = rows.segmentsJson(counts);
                output.collect(Front.DOCUMENTS, rows.document("1min", windowStart, json));
                long fiveMinuteStart = Windows.start(windowStart, Windows.FIVE_MINUTES_MS);
                output.collect(Front.DOCUMENTS, rows.document("5min", fiveMinuteStart, json));
            });
            partials.clear();
        }
    }

    // ---- checkpoints -----------------------------------------------------------------------------

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) {
        flush();
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        closeLedger(context.getCheckpointId());
        heldLetters.stream().filter(held -> held.checkpointId == 0).forEach(held -> held.checkpointId = context.getCheckpointId());
        clockState.update(
                Arrays.stream(partitions).filter(Objects::nonNull).map(partition -> partition.clock).toList());
        watermarkState.update(List.of(jobWatermarkMs));
        ledgerState.update(pendingLedger);
        letterState.update(heldLetters);
    }

    private void closeLedger(long checkpointId) {
        for (Partition partition : partitions) {
            if (partition != null && partition.ledger.recordsRead > 0) {
                LedgerEntry entry = partition.ledger;
                partition.ledger = new LedgerEntry();
                entry.topic = settings.rawTopic;
                entry.partition = partition.clock.partition;
                entry.checkpointId = checkpointId;
                entry.jobId = getRuntimeContext().getJobInfo().getJobId().toHexString();
                entry.runStartedMs = settings.runStartedMs;
                pendingLedger.add(entry);
            }
        }
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        super.notifyCheckpointComplete(checkpointId);
        sendCompleted(checkpointId);
    }

    /** Send what a complete checkpoint holds; after a crash the restored copy is sent again. */
    private void sendCompleted(long checkpointId) {
        for (Iterator<LedgerEntry> entries = pendingLedger.iterator(); entries.hasNext(); ) {
            LedgerEntry entry = entries.next();
            if (entry.checkpointId <= checkpointId) {
                output.collect(Front.LEDGER, new StreamRecord<>(rows.ledger(entry)));
                entries.remove();
            }
        }
        for (Iterator<HeldLetter> letters = heldLetters.iterator(); letters.hasNext(); ) {
            HeldLetter held = letters.next();
            if (held.checkpointId != 0 && held.checkpointId <= checkpointId) {
                send(held.letter);
                heldBytes -= held.letter.bytes();
                letters.remove();
            }
        }
    }

    /** A bounded topic ends: no checkpoint may follow that could send the rest. */
    @Override
    public void endInput() {
        flush();
        closeLedger(Long.MAX_VALUE);
        heldLetters.forEach(held -> held.checkpointId = Long.MAX_VALUE);
        sendCompleted(Long.MAX_VALUE);
    }
}
