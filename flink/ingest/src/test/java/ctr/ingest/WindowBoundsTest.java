package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Counts some windows only. */
class WindowBoundsTest {

    private static final long MINUTE = 60_000;

    private static IngestSettings bounded() {
        IngestSettings settings = Samples.settings();
        settings.countFromMs = NOON + MINUTE;
        settings.countUntilMs = NOON + 3 * MINUTE;
        return settings;
    }

    @Test
    void eventsOfOtherWindowsAreNotCountedAndTheirOutcomeIsReported() throws Exception {
        try (Subtask subtask = Subtask.start(bounded())) {
            subtask.event(0, 0, NOON + MINUTE - 1);
            subtask.event(0, 1, NOON + MINUTE);
            subtask.event(0, 2, NOON + 3 * MINUTE - 1);
            subtask.event(0, 3, NOON + 3 * MINUTE);
            subtask.event(0, 4, NOON);
            subtask.checkpoint(1);
            assertEquals(
                    List.of("news 1 1 0@120000", "news 1 1 0@60000"),
                    subtask.counts().stream().sorted().toList());
            assertEquals(List.of("late 0/4"), subtask.deadLetters());
        }
    }

    @Test
    void outcomesThatAnotherJobHasReportedAreNotReportedAgain() throws Exception {
        IngestSettings settings = bounded();
        settings.reportFromOffset = Map.of(0, 5L);
        try (Subtask subtask = Subtask.start(settings)) {
            subtask.event(0, 3, NOON + 3 * MINUTE - 1);
            subtask.event(0, 4, NOON);
            subtask.event(0, 5, NOON);
            subtask.checkpoint(1);
            assertEquals(List.of("news 1 1 0@120000"), subtask.counts());
            assertEquals(List.of("late 0/5"), subtask.deadLetters());
        }
    }

    @Test
    void eventsOfOtherWindowsStillMoveThePartitionWatermark() throws Exception {
        try (Subtask subtask = Subtask.start(bounded())) {
            subtask.event(0, 0, NOON + 10 * MINUTE);
            subtask.event(0, 1, NOON + MINUTE);
            subtask.advance(NOON);
            assertEquals(List.of(), subtask.counts());
            assertEquals(List.of("late 0/1"), subtask.deadLetters());
        }
    }

    @Test
    void aStagingStageReportsNoTime() throws Exception {
        IngestSettings settings = bounded();
        settings.staging = true;
        try (Subtask subtask = Subtask.start(settings)) {
            subtask.event(0, 0, NOON + MINUTE);
            for (int i = 0; i < 10; i++) {
                subtask.elapse();
            }
            subtask.end();
            assertEquals(List.of(), subtask.reports);
            assertEquals(List.of(), subtask.documents());
            assertEquals(List.of("news 1 1 0@60000"), subtask.counts());
        }
    }
}
