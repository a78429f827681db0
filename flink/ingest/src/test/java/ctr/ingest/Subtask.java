package ctr.ingest;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.TimestampType;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.operators.coordination.OperatorEventGateway;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.apache.flink.util.InstantiationUtil;
import org.apache.flink.util.OutputTag;

/** A pre-aggregation in Flink's operator harness; its reports go to a list instead of a JobManager. */
final class Subtask implements AutoCloseable {

    /** What left, in order: counts, watermarks. */
    final Queue<Object> output;

    final List<ProgressReport> reports = new ArrayList<>();
    private final OneInputStreamOperatorTestHarness<Event, Row> harness;
    private long nowMs;

    private Subtask(IngestSettings settings, int parallelism, int index, OperatorSubtaskState restored)
            throws Exception {
        harness = new OneInputStreamOperatorTestHarness<>(
                new Factory(settings, this::report), parallelism, parallelism, index);
        harness.initializeState(restored);
        harness.open();
        output = harness.getOutput();
    }

    static Subtask start() throws Exception {
        return start(Samples.settings());
    }

    static Subtask start(IngestSettings settings) throws Exception {
        return new Subtask(settings, 1, 0, null);
    }

    /** Subtask {@code index} of {@code parallelism}, from one or more subtasks' checkpoints; null for a start from nothing. */
    static Subtask restore(int parallelism, int index, OperatorSubtaskState... checkpoints) throws Exception {
        return restore(Samples.settings(), parallelism, index, checkpoints);
    }

    static Subtask restore(IngestSettings settings, int parallelism, int index, OperatorSubtaskState... checkpoints)
            throws Exception {
        if (checkpoints == null) {
            return new Subtask(settings, parallelism, index, null);
        }
        OperatorSubtaskState all = AbstractStreamOperatorTestHarness.repackageState(checkpoints);
        return new Subtask(
                settings,
                parallelism,
                index,
                AbstractStreamOperatorTestHarness.repartitionOperatorState(
                        all, parallelism, checkpoints.length, parallelism, index));
    }

    private static final class Factory extends AbstractStreamOperatorFactory<Row>
            implements OneInputStreamOperatorFactory<Event, Row> {

        private static final long serialVersionUID = 1L;
        private final IngestSettings settings;
        private final transient OperatorEventGateway coordinator;

        Factory(IngestSettings settings, OperatorEventGateway coordinator) {
            this.settings = settings;
            this.coordinator = coordinator;
        }

        @Override
        @SuppressWarnings("unchecked")
        public <T extends StreamOperator<Row>> T createStreamOperator(StreamOperatorParameters<Row> parameters) {
            return (T) new PreAggregator(parameters, settings, coordinator);
        }

        @Override
        @SuppressWarnings("rawtypes")
        public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
            return PreAggregator.class;
        }
    }

    /** Over the network reports travel serialized. */
    private void report(org.apache.flink.runtime.operators.coordination.OperatorEvent event) {
        try {
            reports.add(InstantiationUtil.clone((ProgressReport) event));
        } catch (Exception error) {
            throw new AssertionError(error);
        }
    }

    PreAggregator operator() {
        return (PreAggregator) harness.getOneInputOperator();
    }

    /** A valid record of the segment (news, 1), not clicked. */
    void event(int partition, long offset, long timestampMs) throws Exception {
        event(partition, offset, timestampMs, "news", 0);
    }

    /** One that the broker wrote at another time. */
    void event(int partition, long offset, long timestampMs, long brokerTimeMs) throws Exception {
        event(Samples.record(partition, offset, brokerTimeMs, new byte[] {(byte) offset}), timestampMs, "news", 0);
    }

    /** One of a topic whose records bear their producers' times. */
    void createTimeEvent(int partition, long offset, long timestampMs) throws Exception {
        event(Samples.record(partition, offset, timestampMs, TimestampType.CREATE_TIME, null), timestampMs, "news", 0);
    }

    void event(int partition, long offset, long timestampMs, long brokerTimeMs, String category) throws Exception {
        event(Samples.record(partition, offset, brokerTimeMs, new byte[] {(byte) offset}), timestampMs, category, 0);
    }

    void event(int partition, long offset, long timestampMs, String category, int click) throws Exception {
        event(Samples.record(partition, offset, timestampMs, new byte[] {(byte) offset}), timestampMs, category, click);
    }

    private void event(ConsumerRecord<byte[], byte[]> record, long timestampMs, String category, int click)
            throws Exception {
        Event event = new Event(2, 1);
        event.load(record);
        event.dimensions[0] = category;
        event.dimensions[1] = 1;
        event.timestampMs = timestampMs;
        event.measures[0] = event.click = click;
        process(event);
    }

    /** The event's outcome afterwards is what the operator has decided. */
    void process(Event event) throws Exception {
        harness.processElement(event, event.timestampMs);
    }

    /** A record that the decoder rejected; its event time is whatever the record before left there. */
    void rejected(int partition, long offset, Outcome outcome) throws Exception {
        Event event = new Event(2, 1);
        event.load(Samples.record(partition, offset, 0, null));
        event.timestampMs = Long.MAX_VALUE;
        event.reject(outcome, "rejected in a test");
        harness.processElement(event, 0);
    }

    /** One tick of the operator's timer; returns the report that it made. */
    ProgressReport tick() throws Exception {
        elapse();
        return reports.get(reports.size() - 1);
    }

    /** Time for one tick. */
    void elapse() throws Exception {
        nowMs += PreAggregator.TICK_MS;
        harness.setProcessingTime(nowMs);
    }

    void advance(long jobWatermarkMs) throws Exception {
        advance(new WatermarkAdvance(jobWatermarkMs, Windows.NONE));
    }

    /** Over the network it travels serialized. */
    void advance(WatermarkAdvance advance) throws Exception {
        operator().handleOperatorEvent(InstantiationUtil.clone(advance));
    }

    OperatorSubtaskState checkpoint(long id) throws Exception {
        harness.prepareSnapshotPreBarrier(id);
        return harness.snapshot(id, nowMs);
    }

    void complete(long id) throws Exception {
        harness.notifyOfCompletedCheckpoint(id);
    }

    void end() throws Exception {
        harness.processWatermark(Watermark.MAX_WATERMARK);
        harness.endInput();
    }

    OneInputStreamOperatorTestHarness<Event, Row> harness() {
        return harness;
    }

    /** As {@code (category, device, impressions, clicks)@window start}, in order of leaving. */
    List<String> counts() {
        return harness.getRecordOutput().stream().map(Subtask::text).toList();
    }

    List<Long> watermarks() {
        return output.stream()
                .filter(Watermark.class::isInstance)
                .map(mark -> ((Watermark) mark).getTimestamp())
                .toList();
    }

    /** As {@code reason partition/offset}. */
    List<String> deadLetters() {
        return side(Ingest.DEAD_LETTERS)
                .map(deadLetter -> deadLetter.reason + " " + deadLetter.partition + "/" + deadLetter.offset)
                .collect(Collectors.toList());
    }

    /** What has left since the last call. */
    List<DeadLetter> takeDeadLetters() {
        return take(Ingest.DEAD_LETTERS);
    }

    /** What has left since the last call. */
    List<Row> takeLedger() {
        return take(Ingest.LEDGER);
    }

    /** What has left since the last call, by window start. */
    Map<Long, Map<Segment, long[]>> takeDocuments() throws Exception {
        Map<Long, Map<Segment, long[]>> documents = new HashMap<>();
        for (Row row : take(Ingest.DOCUMENTS)) {
            SegmentBytes.readSums(new DataInputDeserializer((byte[]) row.getField(1)))
                    .forEach((segment, sums) -> documents
                            .computeIfAbsent((Long) row.getField(0), start -> new HashMap<>())
                            .merge(segment, sums, Subtask::sum));
        }
        return documents;
    }

    private static long[] sum(long[] first, long[] second) {
        return new long[] {first[0] + second[0], first[1] + second[1]};
    }

    private <T> List<T> take(OutputTag<T> tag) {
        List<T> left = side(tag).toList();
        Collection<?> records = harness.getSideOutput(tag);
        if (records != null) {
            records.clear();
        }
        return left;
    }

    List<Row> ledger() {
        return side(Ingest.LEDGER).toList();
    }

    /** As {@code window start: category device impressions clicks}, from noon. */
    List<String> documents() throws Exception {
        List<String> deltas = new ArrayList<>();
        for (Row row : side(Ingest.DOCUMENTS).toList()) {
            SegmentBytes.readSums(new DataInputDeserializer((byte[]) row.getField(1)))
                    .forEach((segment, sums) -> deltas.add(((Long) row.getField(0) - Samples.NOON) + ": "
                            + segment.values[0] + " " + segment.values[1] + " " + sums[0] + " " + sums[1]));
        }
        return deltas;
    }

    private <T> Stream<T> side(OutputTag<T> tag) {
        Collection<StreamRecord<T>> records = harness.getSideOutput(tag);
        return records == null ? Stream.of() : records.stream().map(StreamRecord::getValue);
    }

    static String text(StreamRecord<Row> record) {
        Row row = record.getValue();
        return row.getField(0) + " " + row.getField(1) + " " + row.getField(2) + " " + row.getField(3) + "@"
                + (record.getTimestamp() - Samples.NOON);
    }

    @Override
    public void close() throws Exception {
        harness.close();
    }
}
