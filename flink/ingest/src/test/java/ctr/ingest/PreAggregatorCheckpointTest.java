package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

/** What a checkpoint holds, what its completion sends, and what a restore goes on from. */
class PreAggregatorCheckpointTest {

    private static final long MINUTE = 60_000;

    /** {@code partition first-last read counted late malformed unknown_schema invalid @checkpoint}. */
    private static List<String> ledger(Subtask subtask) {
        List<String> lines = new ArrayList<>();
        for (Row row : subtask.ledger()) {
            assertEquals(Samples.settings().rawTopic, row.getField(0));
            assertEquals(Samples.settings().runStartedMs, row.getField(12));
            assertTrue(((String) row.getField(11)).matches("[0-9a-f]{32}"), "a job id");
            StringBuilder line = new StringBuilder(row.getField(1) + " " + row.getField(2) + "-" + row.getField(3));
            for (int i = 5; i <= 10; i++) {
                line.append(' ').append(row.getField(i));
            }
            lines.add(line.append(" @").append(row.getField(4)).toString());
        }
        return lines;
    }

    /** A row that was written again at every checkpoint would never be old enough for the recount to believe. */
    @Test
    void anIdlePartitionsRowIsWrittenAgainOnlyWhenAWindowHasClosed() throws Exception {
        try (Subtask subtask = Subtask.start()) {
            subtask.event(0, 10, NOON);
            for (int second = 0; second <= 70; second++) {
                subtask.advance(NOON + 1_000L * second);
                subtask.checkpoint(1 + second);
                subtask.complete(1 + second);
            }
            List<Object> closed = subtask.ledger().stream().map(row -> row.getField(13)).toList();
            assertEquals(List.of(NOON, NOON + MINUTE), closed);
        }
    }

    @Test
    void theLedgerSaysWhatHasClosedAlsoAfterTheLastRecord() throws Exception {
        try (Subtask subtask = Subtask.start()) {
            subtask.event(0, 10, NOON);
            subtask.checkpoint(1);
            subtask.complete(1);
            assertEquals(0L, subtask.ledger().get(0).getField(13), "nothing has closed");
            subtask.checkpoint(2);
            subtask.complete(2);
            assertEquals(1, subtask.ledger().size());
            subtask.advance(NOON + MINUTE);
            for (int checkpoint = 3; checkpoint < 6; checkpoint++) {
                subtask.checkpoint(checkpoint);
                subtask.complete(checkpoint);
            }
            assertEquals(List.of("0 10-10 1 1 0 0 0 0 @1", "0 10-10 1 1 0 0 0 0 @1"), ledger(subtask), "said once");
            assertEquals(NOON + MINUTE, subtask.ledger().get(1).getField(13));
            try (Subtask restored = Subtask.restore(1, 0, subtask.checkpoint(6))) {
                restored.advance(NOON + 2 * MINUTE);
                restored.checkpoint(7);
                restored.complete(7);
                assertEquals(List.of(), ledger(restored), "another may read the partition now");
            }
        }
    }

    @Test
    void theLedgerLeavesWhenItsCheckpointIsComplete() throws Exception {
        try (Subtask subtask = Subtask.start()) {
            subtask.event(0, 10, NOON);
            subtask.event(0, 11, NOON + 5 * MINUTE);
            subtask.event(0, 12, NOON);
            subtask.rejected(0, 14, Outcome.MALFORMED);
            subtask.rejected(0, 15, Outcome.UNKNOWN_SCHEMA);
            subtask.rejected(0, 16, Outcome.INVALID);
            subtask.rejected(0, 17, Outcome.INVALID);
            subtask.event(2, 0, NOON);
            subtask.checkpoint(1);
            subtask.tick();
            assertEquals(List.of(), ledger(subtask), "the checkpoint may yet fail");
            subtask.event(0, 18, NOON + 5 * MINUTE);
            subtask.complete(1);
            assertEquals(List.of("0 10-17 7 2 1 1 1 2 @1", "2 0-0 1 1 0 0 0 0 @1"), ledger(subtask));
            subtask.checkpoint(2);
            subtask.complete(2);
            subtask.complete(2);
            assertEquals("0 18-18 1 1 0 0 0 0 @2", ledger(subtask).get(2));
            assertEquals(3, ledger(subtask).size(), "partition 2 had no record, and nothing leaves twice");
        }
    }

    @Test
    void theLedgerOfAFailedCheckpointLeavesWithTheNext() throws Exception {
        try (Subtask subtask = Subtask.start()) {
            subtask.event(0, 0, NOON);
            subtask.checkpoint(1);
            subtask.event(0, 1, NOON);
            subtask.checkpoint(2);
            subtask.event(0, 2, NOON);
            subtask.complete(2);
            assertEquals(List.of("0 0-0 1 1 0 0 0 0 @1", "0 1-1 1 1 0 0 0 0 @2"), ledger(subtask));
        }
    }

    @Test
    void whatIsOfALaterCheckpointWaitsForThatOne() throws Exception {
        try (Subtask subtask = Subtask.start()) {
            subtask.advance(NOON + 5 * MINUTE);
            subtask.event(0, 0, NOON);
            subtask.checkpoint(1);
            subtask.event(0, 1, NOON);
            subtask.checkpoint(2);
            subtask.complete(1);
            assertEquals(List.of("0 0-0 1 0 1 0 0 0 @1"), ledger(subtask));
            assertEquals(List.of("late 0/0"), subtask.deadLetters());
            subtask.complete(2);
            assertEquals("0 1-1 1 0 1 0 0 0 @2", ledger(subtask).get(1));
            assertEquals(List.of("late 0/0", "late 0/1"), subtask.deadLetters());
        }
    }

    @Test
    void theLedgerThatWasNotSentIsSentAfterARestore() throws Exception {
        OperatorSubtaskState checkpoint;
        try (Subtask subtask = Subtask.start()) {
            subtask.event(0, 0, NOON);
            checkpoint = subtask.checkpoint(1);
        }
        try (Subtask restored = Subtask.restore(1, 0, checkpoint)) {
            restored.event(0, 1, NOON);
            restored.checkpoint(2);
            restored.complete(2);
            assertEquals(List.of("0 0-0 1 1 0 0 0 0 @1", "0 1-1 1 1 0 0 0 0 @2"), ledger(restored));
        }
    }

    @Test
    void aDeadLetterByPartitionContentLeavesAtOnceAndOnlyOnce() throws Exception {
        OperatorSubtaskState checkpoint;
        try (Subtask subtask = Subtask.start()) {
            subtask.event(0, 0, NOON + 5 * MINUTE);
            subtask.event(0, 1, NOON);
            assertEquals(List.of("late 0/1"), subtask.deadLetters());
            checkpoint = subtask.checkpoint(1);
            subtask.complete(1);
            assertEquals(List.of("late 0/1"), subtask.deadLetters());
        }
        try (Subtask restored = Subtask.restore(1, 0, checkpoint)) {
            restored.tick();
            assertEquals(List.of(), restored.deadLetters());
        }
    }

    @Test
    void aDeadLetterAfterIdlenessWaitsForItsCheckpoint() throws Exception {
        try (Subtask subtask = Subtask.start()) {
            subtask.advance(NOON + 5 * MINUTE);
            subtask.event(0, 0, NOON);
            subtask.checkpoint(1);
            subtask.event(0, 1, NOON + MINUTE);
            subtask.tick();
            assertEquals(List.of(), subtask.deadLetters(), "after a crash now this record might be counted");
            subtask.complete(1);
            assertEquals(List.of("late 0/0"), subtask.deadLetters());
            subtask.checkpoint(2);
            subtask.complete(2);
            assertEquals(List.of("late 0/0", "late 0/1"), subtask.deadLetters());
            assertEquals(List.of("0 0-0 1 0 1 0 0 0 @1", "0 1-1 1 0 1 0 0 0 @2"), ledger(subtask));
        }
    }

    @Test
    void aDeferredDeadLetterIsSentAfterARestoreFromItsCheckpoint() throws Exception {
        OperatorSubtaskState checkpoint;
        try (Subtask subtask = Subtask.start()) {
            subtask.advance(NOON + 5 * MINUTE);
            subtask.event(0, 7, NOON);
            checkpoint = subtask.checkpoint(1);
        }
        try (Subtask restored = Subtask.restore(1, 0, checkpoint)) {
            assertEquals(List.of(), restored.deadLetters());
            restored.tick();
            assertEquals(List.of("late 0/7"), restored.deadLetters());
            restored.checkpoint(2);
            restored.complete(2);
            assertEquals(List.of("late 0/7"), restored.deadLetters());
        }
    }

    @Test
    void aRestoredSubtaskRemembersWhatIsLate() throws Exception {
        OperatorSubtaskState checkpoint;
        try (Subtask subtask = Subtask.start()) {
            subtask.event(0, 0, NOON + MINUTE + 10_000);
            subtask.advance(NOON + MINUTE);
            checkpoint = subtask.checkpoint(1);
        }
        try (Subtask restored = Subtask.restore(1, 0, checkpoint)) {
            restored.event(0, 1, NOON);
            assertEquals(List.of("late 0/1"), restored.deadLetters());
            restored.event(0, 2, NOON + MINUTE);
            assertEquals(List.of(), restored.watermarks());
            ProgressReport report = restored.tick();
            assertEquals(List.of(NOON + MINUTE - 1), restored.watermarks(), "downstream learns it again");
            assertEquals(NOON + MINUTE, report.jobWatermarkMs);
            assertEquals(NOON + MINUTE + 10_000, report.progress.get(0).highestTimeMs);
            restored.tick();
            assertEquals(1, restored.watermarks().size());
        }
    }

    @Test
    void theRestoredWatermarkIsTheSlowestSubtasks() throws Exception {
        OperatorSubtaskState[] checkpoints = new OperatorSubtaskState[2];
        for (int i = 0; i < 2; i++) {
            try (Subtask subtask = Subtask.restore(2, i, (OperatorSubtaskState[]) null)) {
                subtask.advance(NOON + i * MINUTE);
                checkpoints[i] = subtask.checkpoint(1);
            }
        }
        for (int i = 0; i < 2; i++) {
            try (Subtask restored = Subtask.restore(2, i, checkpoints)) {
                assertEquals(NOON, restored.tick().jobWatermarkMs);
                assertEquals(List.of(NOON - 1), restored.watermarks());
            }
        }
    }

    @Test
    void aSubtaskThatHadNoWatermarkHoldsTheRestoredJobBack() throws Exception {
        OperatorSubtaskState[] checkpoints = new OperatorSubtaskState[2];
        for (int i = 0; i < 2; i++) {
            try (Subtask subtask = Subtask.restore(2, i, (OperatorSubtaskState[]) null)) {
                if (i == 1) {
                    subtask.advance(NOON);
                }
                checkpoints[i] = subtask.checkpoint(1);
            }
        }
        try (Subtask restored = Subtask.restore(2, 0, checkpoints)) {
            assertEquals(Windows.NONE, restored.tick().jobWatermarkMs);
            assertEquals(List.of(), restored.watermarks());
        }
    }

    @Test
    void scalingKeepsAllProgressDeadLettersAndLedgerEntries() throws Exception {
        OperatorSubtaskState[] ofTwo = new OperatorSubtaskState[2];
        for (int i = 0; i < 2; i++) {
            try (Subtask subtask = Subtask.restore(2, i, (OperatorSubtaskState[]) null)) {
                subtask.event(i, 0, NOON + (i + 1) * 10 * MINUTE);
                subtask.advance(NOON + MINUTE);
                subtask.event(2 + i, 0, NOON);
                ofTwo[i] = subtask.checkpoint(1);
            }
        }
        OperatorSubtaskState ofOne;
        try (Subtask one = Subtask.restore(1, 0, ofTwo)) {
            assertProgress(one);
            one.event(0, 1, NOON + 9 * MINUTE - 1);
            one.event(1, 1, NOON + 19 * MINUTE - 1);
            ofOne = one.checkpoint(2);
            assertEquals(List.of("late 0/1", "late 1/1", "late 2/0", "late 3/0"), one.deadLetters().stream().sorted().toList());
        }
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            try (Subtask again = Subtask.restore(2, i, ofOne)) {
                assertProgress(again);
                again.complete(3);
                lines.addAll(ledger(again));
                again.event(0, 2, NOON + 9 * MINUTE - 1);
                assertEquals(List.of("late 0/2"), again.deadLetters());
            }
        }
        assertEquals(List.of("0 1-1 1 0 1 0 0 0 @2", "1 1-1 1 0 1 0 0 0 @2"), lines.stream().sorted().toList());
    }

    private static void assertProgress(Subtask subtask) throws Exception {
        List<Long> highest = Stream.of(subtask.tick().progress)
                .flatMap(List::stream)
                .map(each -> each.highestTimeMs)
                .toList();
        assertEquals(List.of(NOON + 10 * MINUTE, NOON + 20 * MINUTE, NOON, NOON), highest);
    }

    @Test
    void aBoundedTopicsRestLeavesAtItsEnd() throws Exception {
        try (Subtask subtask = Subtask.start()) {
            subtask.advance(NOON + 5 * MINUTE);
            subtask.event(0, 0, NOON);
            subtask.event(0, 1, NOON + 5 * MINUTE);
            subtask.end();
            assertEquals(List.of("late 0/0"), subtask.deadLetters());
            assertEquals(List.of("news 1 1 0@300000"), subtask.counts());
            assertEquals(1, ledger(subtask).size());
        }
    }
}
