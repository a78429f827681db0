package ctr.ingest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** One subtask of the simulated job: {@link Accounting} itself, or the operator around it in Flink's harness. */
interface SimulatedSubtask extends AutoCloseable {

    void add(Event event) throws Exception;

    /** One tick of the operator's timer. */
    ProgressReport tick(long nowMs) throws Exception;

    void advance(WatermarkAdvance advance) throws Exception;

    /** A checkpoint of this subtask, for {@link Start}. */
    Object checkpoint(long id) throws Exception;

    void complete(long id) throws Exception;

    /** Starts all subtasks of a job, from the checkpoints of all subtasks of an earlier one, or from nothing if null. */
    interface Start {
        List<SimulatedSubtask> all(IngestSettings settings, List<Accounting.Output> outputs, Object[] checkpoints)
                throws Exception;
    }

    /** Thousands of schedules per second. State travels as the bytes of {@link StateFormats}, as in a checkpoint. */
    static List<SimulatedSubtask> plain(
            IngestSettings settings, List<Accounting.Output> outputs, Object[] checkpoints) {
        List<SimulatedSubtask> subtasks = new ArrayList<>();
        for (int i = 0; i < outputs.size(); i++) {
            Accounting.State restored =
                    checkpoints == null ? Accounting.State.NOTHING : StateBytes.of(checkpoints, i, outputs.size());
            subtasks.add(new Plain(new Accounting(settings, "job", restored, outputs.get(i))));
        }
        return subtasks;
    }

    /** See {@link #plain}. */
    record Plain(Accounting accounting) implements SimulatedSubtask {

        @Override
        public void add(Event event) {
            accounting.add(event);
        }

        @Override
        public ProgressReport tick(long nowMs) {
            accounting.tick(nowMs);
            return accounting.report();
        }

        @Override
        public void advance(WatermarkAdvance advance) {
            accounting.advance(advance.jobWatermarkMs, advance.adoptedByAllMs);
        }

        @Override
        public Object checkpoint(long id) {
            accounting.sendAll();
            return StateBytes.of(accounting.checkpoint(id));
        }

        @Override
        public void complete(long id) {
            accounting.sendCompleted(id);
        }

        @Override
        public void close() {}
    }

    /** A subtask's part of a checkpoint. */
    record StateBytes(
            List<byte[]> progress,
            List<Long> jobWatermarksMs,
            List<byte[]> ledger,
            List<byte[]> deadLetters,
            List<byte[]> named) {

        static StateBytes of(Accounting.State state) {
            return new StateBytes(
                    write(StateFormats.PROGRESS, state.progress()),
                    List.copyOf(state.jobWatermarksMs()),
                    write(StateFormats.LEDGER_ENTRY, state.ledger()),
                    write(StateFormats.DEFERRED_DEAD_LETTER, state.deadLetters()),
                    write(StateFormats.NAMED_SEGMENTS, state.named()));
        }

        /** What Flink gives subtask {@code index}: all of the union lists, its share of the others. */
        static Accounting.State of(Object[] checkpoints, int index, int parallelism) {
            List<PartitionProgress> progress = new ArrayList<>();
            List<Long> watermarks = new ArrayList<>();
            List<LedgerEntry> ledger = new ArrayList<>();
            List<DeferredDeadLetter> deadLetters = new ArrayList<>();
            List<NamedSegments> named = new ArrayList<>();
            int dealt = 0;
            for (Object each : checkpoints) {
                StateBytes state = (StateBytes) each;
                state.progress.forEach(bytes -> progress.add(read(StateFormats.PROGRESS, bytes)));
                watermarks.addAll(state.jobWatermarksMs);
                state.named.forEach(bytes -> named.add(read(StateFormats.NAMED_SEGMENTS, bytes)));
                for (byte[] bytes : state.ledger) {
                    if (dealt++ % parallelism == index) {
                        ledger.add(read(StateFormats.LEDGER_ENTRY, bytes));
                    }
                }
                for (byte[] bytes : state.deadLetters) {
                    if (dealt++ % parallelism == index) {
                        deadLetters.add(read(StateFormats.DEFERRED_DEAD_LETTER, bytes));
                    }
                }
            }
            return new Accounting.State(1, progress, watermarks, ledger, deadLetters, named);
        }

        List<NamedSegments> namedSegments() {
            return named.stream().map(bytes -> read(StateFormats.NAMED_SEGMENTS, bytes)).toList();
        }

        private static <T> List<byte[]> write(SimpleVersionedSerializer<T> format, List<T> elements) {
            List<byte[]> written = new ArrayList<>(elements.size());
            try {
                for (T element : elements) {
                    written.add(format.serialize(element));
                }
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
            }
            return written;
        }

        private static <T> T read(SimpleVersionedSerializer<T> format, byte[] bytes) {
            try {
                return format.deserialize(format.getVersion(), bytes);
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
            }
        }
    }
}
