package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ctr.front.HeldLetter;
import ctr.front.Letter;
import ctr.front.PartitionClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

/** State that version 0.1 wrote, and what is written in its place. */
class Version01StateTest {

    private static final long MINUTE = 60_000;

    /** Stores one element of each kind as version 0.1 did. */
    private static final class Writer extends AbstractStreamOperator<Row> implements OneInputStreamOperator<Event, Row> {

        private static final long serialVersionUID = 1L;

        @Override
        public void initializeState(StateInitializationContext context) throws Exception {
            var store = context.getOperatorStateStore();
            PartitionClock clock = new PartitionClock();
            clock.partition = 3;
            clock.highestEventTimeMs = NOON + MINUTE + 10_000;
            clock.nextOffset = 8;
            store.getUnionListState(new ListStateDescriptor<>("partition-clocks", PartitionClock.class)).add(clock);
            store.getUnionListState(new ListStateDescriptor<>("job-watermark", Long.class)).add(NOON);
            ctr.front.LedgerEntry entry = new ctr.front.LedgerEntry();
            entry.jobId = "0123456789abcdef0123456789abcdef";
            entry.checkpointId = 5;
            entry.runStartedMs = 77;
            entry.topic = "ad_events_raw";
            entry.partition = 3;
            entry.firstOffset = 2;
            entry.lastOffset = 7;
            entry.recordsRead = 15;
            entry.byFate = new long[] {1, 2, 3, 4, 5};
            store.getListState(new ListStateDescriptor<>("pending-ledger", ctr.front.LedgerEntry.class)).add(entry);
            HeldLetter held = new HeldLetter();
            held.checkpointId = 5;
            held.letter = new Letter();
            held.letter.topic = "ad_events_raw";
            held.letter.partition = 3;
            held.letter.offset = 6;
            held.letter.reason = "late";
            held.letter.message = "its window ended";
            held.letter.value = new byte[] {1, 2};
            held.letter.headerKeys = new String[] {"trace"};
            held.letter.headerValues = new byte[][] {{7}};
            store.getListState(new ListStateDescriptor<>("held-letters", HeldLetter.class)).add(held);
        }

        @Override
        public void processElement(StreamRecord<Event> element) {}
    }

    private static OperatorSubtaskState written() throws Exception {
        try (var harness = new OneInputStreamOperatorTestHarness<>(new Writer())) {
            harness.open();
            return harness.snapshot(5, 0);
        }
    }

    @Test
    void theJobGoesOnFromIt() throws Exception {
        try (Subtask restored = Subtask.restore(1, 0, written())) {
            ProgressReport report = restored.tick();
            assertEquals(NOON, report.jobWatermarkMs);
            assertEquals(3, report.progress.get(0).partition);
            assertEquals(NOON + MINUTE + 10_000, report.progress.get(0).highestEventTimeMs);
            assertEquals(NOON + MINUTE + 10_000, report.progress.get(0).highestTimeMs);
            assertEquals(8, report.progress.get(0).nextOffset);
            assertEquals(
                    List.of(Row.of(
                            "ad_events_raw", 3, 2L, 7L, 5L, 15L, 1L, 2L, 3L, 4L, 5L, "0123456789abcdef0123456789abcdef", 77L, 0L)),
                    restored.ledger());
            assertEquals(List.of("late 3/6"), restored.deadLetters());
            restored.event(3, 8, NOON);
            assertEquals(List.of("late 3/6", "late 3/8"), restored.deadLetters(), "by the partition watermark");
        }
    }

    @Test
    void itsClassesAreNamedInNoLaterState() throws Exception {
        OperatorSubtaskState old = written();
        assertTrue(text(old).contains("ctr.front"), "else this test sees nothing");
        try (Subtask restored = Subtask.restore(1, 0, old)) {
            OperatorSubtaskState checkpoint = restored.checkpoint(6);
            assertFalse(text(checkpoint).contains("ctr."), "neither old classes nor new ones");
            try (Subtask again = Subtask.restore(1, 0, checkpoint)) {
                again.tick();
                assertEquals(List.of("late 3/6"), again.deadLetters());
                assertEquals(1, again.ledger().size());
            }
        }
    }

    @Test
    void aWatermarkOfTheFirstFormatGoesOnAsItWas() throws Exception {
        ByteBuffer first = ByteBuffer.allocate(20).putInt(3).putLong(NOON).putLong(8);
        PartitionProgress progress = StateFormats.PROGRESS.deserialize(1, first.array());
        assertEquals(NOON, progress.highestEventTimeMs);
        assertEquals(NOON, progress.highestTimeMs);
        assertEquals(8, progress.nextOffset);
    }

    @Test
    void aFormatOfANewerReleaseIsAnErrorThatSaysSo() {
        IOException error = assertThrows(IOException.class, () -> StateFormats.PROGRESS.deserialize(3, new byte[28]));
        assertTrue(error.getMessage().contains("from a newer release"), error.getMessage());
    }

    private static String text(OperatorSubtaskState state) throws Exception {
        StringBuilder text = new StringBuilder();
        for (OperatorStateHandle handle : state.getManagedOperatorState()) {
            try (var in = handle.openInputStream()) {
                text.append(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
            }
        }
        return text.toString();
    }
}
