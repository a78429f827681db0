package ctr.ingest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;

/** A simulated subtask that is the whole operator, with Flink's state, in Flink's harness. */
record HarnessSubtask(Subtask subtask, Accounting.Output out) implements SimulatedSubtask {

    static List<SimulatedSubtask> all(IngestSettings settings, List<Accounting.Output> outputs, Object[] checkpoints)
            throws Exception {
        OperatorSubtaskState[] states =
                checkpoints == null ? null : Arrays.copyOf(checkpoints, checkpoints.length, OperatorSubtaskState[].class);
        List<SimulatedSubtask> subtasks = new ArrayList<>();
        for (int i = 0; i < outputs.size(); i++) {
            subtasks.add(new HarnessSubtask(Subtask.restore(settings, outputs.size(), i, states), outputs.get(i)));
        }
        return subtasks;
    }

    @Override
    public void add(Event event) throws Exception {
        subtask.process(event);
        handOver();
    }

    @Override
    public ProgressReport tick(long nowMs) throws Exception {
        ProgressReport report = subtask.tick();
        handOver();
        return report;
    }

    @Override
    public void advance(WatermarkAdvance advance) throws Exception {
        subtask.advance(advance);
        handOver();
    }

    @Override
    public Object checkpoint(long id) throws Exception {
        OperatorSubtaskState state = subtask.checkpoint(id);
        handOver();
        return state;
    }

    @Override
    public void complete(long id) throws Exception {
        subtask.complete(id);
        handOver();
    }

    @Override
    public void close() throws Exception {
        subtask.close();
    }

    private void handOver() throws Exception {
        subtask.takeDocuments().forEach(out::documents);
        for (Object left = subtask.output.poll(); left != null; left = subtask.output.poll()) {
            if (left instanceof Watermark mark) {
                out.closed(mark.getTimestamp() + 1);
            } else if (left instanceof StreamRecord<?> record && record.getValue() instanceof Row row) {
                long[] sums = {(Long) row.getField(2), (Long) row.getField(3)};
                out.counts(record.getTimestamp(), Map.of(new Segment(new Object[] {row.getField(0), row.getField(1)}), sums));
            }
        }
        subtask.takeDeadLetters().forEach(out::deadLetter);
        subtask.takeLedger().forEach(row -> out.ledger(entry(row)));
    }

    private static LedgerEntry entry(Row row) {
        LedgerEntry entry = new LedgerEntry();
        entry.partition = (Integer) row.getField(1);
        entry.firstOffset = (Long) row.getField(2);
        entry.lastOffset = (Long) row.getField(3);
        entry.checkpointId = (Long) row.getField(4);
        entry.recordsRead = (Long) row.getField(5);
        for (Outcome outcome : Outcome.values()) {
            entry.byOutcome[outcome.ordinal()] = (Long) row.getField(6 + outcome.ordinal());
        }
        entry.runStartedMs = (Long) row.getField(12);
        entry.jobWatermarkMs = (Long) row.getField(13);
        return entry;
    }
}
