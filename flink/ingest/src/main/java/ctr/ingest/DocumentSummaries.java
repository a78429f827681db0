package ctr.ingest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;

/**
 * Keeps the counts of open windows by segment, and gives what documents are made of: a summary of bounded size, however many
 * segments there are. So what follows, in Python, costs the same at 15 segments and at a million.
 *
 * <p>Input are the rows of {@link RowEncoder#delta}. An open window that has changed is summarized ten times a second at the
 * most, a closed one once, before the watermark that closes it goes on.
 */
final class DocumentSummaries extends AbstractStreamOperator<Row> implements OneInputStreamOperator<Row, Row> {

    private static final long serialVersionUID = 1L;

    /** A tenth of the second that an open window's document may lag. */
    static final long EVERY_MS = 100;

    /** Summaries take at most a tenth of the time: where one takes long, the next waits longer. */
    private static final int PAUSES_PER_SUMMARY = 9;

    /** What a document names of its segments, and of each dimension's values. */
    static final int MAX_ENTRIES = 500;

    private final transient RowEncoder rows = new RowEncoder();
    private transient Map<Long, OpenWindow> minutes;
    private transient Map<Long, OpenWindow> fiveMinutes;
    private transient VersionedListState<OpenWindow> state;

    DocumentSummaries(StreamOperatorParameters<Row> parameters) {
        super(parameters);
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        state = VersionedListState.split(context.getOperatorStateStore(), "open-windows", StateFormats.OPEN_WINDOW);
        minutes = new TreeMap<>();
        fiveMinutes = new TreeMap<>();
        for (OpenWindow window : state.read()) {
            of(window.lengthMs).put(window.startMs, window);
        }
    }

    @Override
    public void open() throws Exception {
        super.open();
        schedule(EVERY_MS);
    }

    @Override
    public void processElement(StreamRecord<Row> element) throws IOException {
        long minuteStart = (Long) element.getValue().getField(0);
        byte[] bytes = (byte[]) element.getValue().getField(1);
        Map<Segment, long[]> sums = SegmentBytes.readSums(new DataInputDeserializer(bytes));
        add(Windows.ONE_MINUTE_MS, minuteStart, sums);
        add(Windows.FIVE_MINUTES_MS, Windows.start(minuteStart, Windows.FIVE_MINUTES_MS), sums);
    }

    private void add(long lengthMs, long startMs, Map<Segment, long[]> sums) {
        of(lengthMs).computeIfAbsent(startMs, start -> new OpenWindow(lengthMs, start)).add(sums);
    }

    private Map<Long, OpenWindow> of(long lengthMs) {
        return lengthMs == Windows.ONE_MINUTE_MS ? minutes : fiveMinutes;
    }

    private void schedule(long inMs) {
        getProcessingTimeService()
                .registerTimer(getProcessingTimeService().getCurrentProcessingTime() + inMs, this::summarizeOpen);
    }

    private void summarizeOpen(long scheduledMs) {
        long began = System.nanoTime();
        for (Map<Long, OpenWindow> windows : List.of(minutes, fiveMinutes)) {
            for (OpenWindow window : windows.values()) {
                if (window.changed) {
                    window.changed = false;
                    output.collect(rows.summary(window, false));
                }
            }
        }
        long tookMs = (System.nanoTime() - began) / 1_000_000;
        schedule(Math.max(EVERY_MS, PAUSES_PER_SUMMARY * tookMs));
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        for (Map<Long, OpenWindow> windows : List.of(minutes, fiveMinutes)) {
            Iterator<OpenWindow> byStart = windows.values().iterator();
            OpenWindow window;
            while (byStart.hasNext() && (window = byStart.next()).endMs() - 1 <= mark.getTimestamp()) {
                output.collect(rows.summary(window, true));
                byStart.remove();
            }
        }
        super.processWatermark(mark);
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        List<OpenWindow> open = new ArrayList<>(minutes.values());
        open.addAll(fiveMinutes.values());
        state.write(open);
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        super.notifyCheckpointComplete(checkpointId);
        state.release();
    }

    /** Makes the operator where the job runs. */
    static final class Factory extends AbstractStreamOperatorFactory<Row>
            implements OneInputStreamOperatorFactory<Row, Row> {

        private static final long serialVersionUID = 1L;

        @Override
        @SuppressWarnings("unchecked")
        public <T extends StreamOperator<Row>> T createStreamOperator(StreamOperatorParameters<Row> parameters) {
            return (T) new DocumentSummaries(parameters);
        }

        @Override
        @SuppressWarnings("rawtypes")
        public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
            return DocumentSummaries.class;
        }
    }
}
