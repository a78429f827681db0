package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Outcomes by time, and what leaves when. */
class PreAggregatorTest {

    private static final long MINUTE = 60_000;

    private Subtask subtask;

    @BeforeEach
    void start() throws Exception {
        subtask = Subtask.start();
    }

    @AfterEach
    void close() throws Exception {
        subtask.close();
    }

    @Test
    void countsAreBySegmentAndMinute() throws Exception {
        subtask.event(0, 0, NOON, "news", 1);
        subtask.event(0, 1, NOON + 59_999, "news", 0);
        subtask.event(1, 0, NOON, "sports", 0);
        subtask.event(1, 1, NOON + MINUTE, "news", 0);
        subtask.checkpoint(1);
        assertEquals(
                List.of("news 1 1 0@60000", "news 1 2 1@0", "sports 1 1 0@0"),
                subtask.counts().stream().sorted().toList());
    }

    @Test
    void documentsLearnAtEachFlushWhatIsNew() throws Exception {
        flushInterval();
        subtask.event(0, 0, NOON, "a\"b", 1);
        subtask.event(1, 0, NOON, "a\"b", 0);
        subtask.event(0, 1, NOON + MINUTE, "sports", 0);
        assertEquals(List.of(), subtask.documents());
        flushInterval();
        assertEquals(List.of("0: a\"b 1 2 1", "60000: sports 1 1 0"), subtask.documents());
        flushInterval();
        assertEquals(2, subtask.documents().size(), "nothing leaves twice");
        subtask.event(0, 2, NOON, "a\"b", 1);
        flushInterval();
        assertEquals("0: a\"b 1 1 1", subtask.documents().get(2), "only what is new");
        assertEquals(List.of(), subtask.counts(), "the windows wait for their ends");
    }

    @Test
    void documentsLearnTheRestBeforeTheWatermarkThatClosesTheirWindow() throws Exception {
        subtask.event(0, 0, NOON);
        subtask.event(0, 1, NOON + MINUTE);
        subtask.advance(NOON + MINUTE);
        assertEquals(List.of("0: news 1 1 0"), subtask.documents());
        subtask.checkpoint(1);
        assertEquals(List.of("0: news 1 1 0", "60000: news 1 1 0"), subtask.documents());
    }

    private void flushInterval() throws Exception {
        for (long i = 0; i < Samples.settings().flushMs / PreAggregator.TICK_MS; i++) {
            subtask.tick();
        }
    }

    @Test
    void countsLeaveOnceWhenTheirWindowCloses() throws Exception {
        subtask.event(0, 0, NOON);
        subtask.event(1, 0, NOON);
        subtask.event(0, 1, NOON + MINUTE);
        subtask.advance(NOON + MINUTE - 1);
        assertEquals(List.of(), subtask.counts());
        subtask.advance(NOON + MINUTE);
        assertEquals(List.of("news 1 2 0@0"), subtask.counts(), "of both partitions together");
        subtask.checkpoint(1);
        subtask.checkpoint(2);
        assertEquals(List.of("news 1 2 0@0", "news 1 1 0@60000"), subtask.counts());
    }

    @Test
    void countsOfAPartitionLeaveWhenNoMoreOfItCanBeCounted() throws Exception {
        subtask.event(0, 0, NOON);
        subtask.event(1, 0, NOON);
        subtask.event(0, 1, NOON + MINUTE + 10_000);
        flushInterval();
        assertEquals(List.of("news 1 1 0@0"), subtask.counts(), "so that a backlog of hours fits into memory");
        subtask.event(0, 2, NOON);
        subtask.event(1, 1, NOON);
        subtask.advance(NOON + MINUTE);
        assertEquals(List.of("news 1 1 0@0", "news 1 2 0@0"), subtask.counts());
        assertEquals(List.of("late 0/2"), subtask.deadLetters());
    }

    @Test
    void countsLeaveBeforeTheWatermarkThatClosesTheirWindow() throws Exception {
        subtask.event(0, 0, NOON);
        subtask.advance(NOON + MINUTE);
        Object[] output = subtask.output.toArray();
        assertEquals(2, output.length);
        assertTrue(output[0] instanceof StreamRecord);
        assertEquals(new Watermark(NOON + MINUTE - 1), output[1], "Flink closes a window at its end minus 1 ms");
    }

    @Test
    void countsLeaveBeforeACheckpoint() throws Exception {
        subtask.event(0, 0, NOON);
        subtask.checkpoint(1);
        assertEquals(List.of("news 1 1 0@0"), subtask.counts());
    }

    @Test
    void anEventAtExactlyEndPlusTenSecondsMakesTheNextOfTheWindowLate() throws Exception {
        subtask.event(0, 0, NOON);
        subtask.event(0, 1, NOON + MINUTE + 9_999);
        subtask.event(0, 2, NOON + MINUTE - 1);
        assertEquals(List.of(), subtask.deadLetters());
        subtask.event(0, 3, NOON + MINUTE + 10_000);
        subtask.event(0, 4, NOON + MINUTE - 1);
        subtask.event(0, 5, NOON);
        assertEquals(List.of("late 0/4", "late 0/5"), subtask.deadLetters());
        subtask.event(0, 6, NOON + MINUTE);
        subtask.checkpoint(1);
        assertEquals(List.of("news 1 2 0@0", "news 1 3 0@60000"), subtask.counts());
    }

    @Test
    void anEventIsNeverMadeLateByItself() throws Exception {
        subtask.event(0, 0, NOON);
        subtask.event(0, 1, NOON + 100 * MINUTE);
        subtask.event(0, 2, NOON + 200 * MINUTE);
        assertEquals(List.of(), subtask.deadLetters());
    }

    @Test
    void latenessIsThePartitionsNotTheSubtasks() throws Exception {
        subtask.event(0, 0, NOON + 10 * MINUTE);
        subtask.event(1, 0, NOON);
        subtask.event(1, 1, NOON + MINUTE);
        subtask.event(0, 1, NOON);
        assertEquals(List.of("late 0/1"), subtask.deadLetters());
    }

    @Test
    void rejectedRecordsMoveNoTimeAndHoldNone() throws Exception {
        subtask.event(0, 0, NOON);
        subtask.tick();
        for (Outcome outcome : new Outcome[] {Outcome.MALFORMED, Outcome.UNKNOWN_SCHEMA, Outcome.INVALID}) {
            subtask.rejected(0, outcome.ordinal(), outcome);
        }
        ProgressReport report = subtask.tick();
        assertEquals(NOON, report.progress.get(0).highestTimeMs);
        assertEquals(0, report.activePartitions.length, "garbage is no activity");
        subtask.event(0, 9, NOON);
        assertEquals(List.of("malformed 0/2", "unknown_schema 0/3", "invalid 0/4"), subtask.deadLetters());
    }

    @Test
    void aLateRecordMovesItsPartitionButIsNoActivity() throws Exception {
        subtask.advance(NOON + 10 * MINUTE);
        subtask.event(0, 5, NOON);
        ProgressReport report = subtask.tick();
        assertEquals(0, report.activePartitions.length, "late against the job watermark");
        assertEquals(NOON, report.progress.get(0).highestTimeMs);
        assertEquals(6, report.progress.get(0).nextOffset);
        subtask.event(0, 6, NOON + 20 * MINUTE);
        assertArrayEquals(new int[] {0}, subtask.tick().activePartitions);
        subtask.event(0, 7, NOON + 11 * MINUTE);
        assertEquals(0, subtask.tick().activePartitions.length, "late against the partition watermark");
    }

    @Test
    void aProducersFastClockMakesNobodyElsesEventsLate() throws Exception {
        subtask.event(0, 0, NOON + 59_000, NOON);
        subtask.event(0, 1, NOON - 30_000, NOON);
        subtask.event(0, 2, NOON - 1_000, NOON + 9_000);
        assertEquals(List.of(), subtask.deadLetters());
        PartitionProgress progress = subtask.tick().progress.get(0);
        assertEquals(NOON, progress.highestTimeMs);
        assertEquals(NOON + 59_000, progress.highestEventTimeMs, "the last window that is open");
        subtask.event(0, 3, NOON + 59_000, NOON + 10_000);
        subtask.event(0, 4, NOON - 1, NOON + 10_000);
        assertEquals(List.of("late 0/4"), subtask.deadLetters());
    }

    @Test
    void aTimeThatTheProducerGaveInPlaceOfTheBrokersMovesNoWatermark() throws Exception {
        subtask.event(0, 0, NOON);
        subtask.createTimeEvent(0, 1, NOON + 10 * MINUTE);
        subtask.event(0, 2, NOON);
        assertEquals(List.of(), subtask.deadLetters());
        PartitionProgress progress = subtask.tick().progress.get(0);
        assertEquals(NOON, progress.highestTimeMs);
        assertEquals(NOON + 10 * MINUTE, progress.highestEventTimeMs);
    }

    @Test
    void anEventOfAWindowThatTheJobClosedIsLate() throws Exception {
        subtask.advance(NOON + MINUTE);
        subtask.event(0, 0, NOON + MINUTE - 1);
        subtask.event(0, 1, NOON + MINUTE);
        subtask.checkpoint(1);
        subtask.complete(1);
        assertEquals(List.of("late 0/0"), subtask.deadLetters());
        assertEquals(List.of("news 1 1 0@60000"), subtask.counts());
    }

    @Test
    void theJobWatermarkNeverGoesBack() throws Exception {
        subtask.advance(NOON + MINUTE);
        subtask.advance(NOON);
        subtask.advance(NOON + MINUTE);
        subtask.advance(NOON + MINUTE + 1);
        assertEquals(List.of(NOON + MINUTE - 1, NOON + MINUTE), subtask.watermarks());
        assertEquals(NOON + MINUTE + 1, subtask.tick().jobWatermarkMs);
    }

    @Test
    void reportsSayHowFarEveryPartitionIs() throws Exception {
        assertEquals(List.of(), subtask.tick().progress);
        subtask.event(3, 41, NOON);
        subtask.event(3, 42, NOON - 1);
        ProgressReport report = subtask.tick();
        assertEquals(Windows.NONE, report.jobWatermarkMs);
        assertEquals(1, report.progress.size());
        assertEquals(3, report.progress.get(0).partition);
        assertEquals(NOON, report.progress.get(0).highestTimeMs);
        assertEquals(43, report.progress.get(0).nextOffset);
        assertArrayEquals(new int[] {3}, report.activePartitions);
        assertEquals(0, subtask.tick().activePartitions.length, "activity is reported once");
    }

    @Test
    void theSourcesOwnTimeIsIgnoredUntilItEnds() throws Exception {
        OneInputStreamOperatorTestHarness<Event, Row> harness = subtask.harness();
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        harness.processWatermark(NOON);
        assertTrue(subtask.output.isEmpty());
        subtask.event(0, 0, NOON);
        subtask.end();
        assertEquals(2, subtask.output.size());
        assertEquals(List.of(Long.MAX_VALUE), subtask.watermarks());
    }

    @Test
    void theRealFactoryMakesAWorkingOperator() throws Exception {
        PreAggregatorFactory factory = org.apache.flink.util.InstantiationUtil.clone(new PreAggregatorFactory(Samples.settings()));
        try (var harness = new OneInputStreamOperatorTestHarness<Event, Row>(factory)) {
            harness.open();
            harness.setProcessingTime(1_000);
            assertFalse(harness.wasFailedExternally());
            assertTrue(harness.getOneInputOperator() instanceof PreAggregator);
        }
    }
}
