package ctr.front;

import static ctr.front.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A front that counts some windows only. */
class WindowBoundsTest {

    private static final long MINUTE = 60_000;

    private static FrontSettings bounded() {
        FrontSettings settings = Samples.settings();
        settings.countFromMs = NOON + MINUTE;
        settings.countUntilMs = NOON + 3 * MINUTE;
        return settings;
    }

    @Test
    void eventsOfOtherWindowsAreNotCountedAndGetTheirFate() throws Exception {
        try (Subtask subtask = Subtask.start(bounded())) {
            subtask.event(0, 0, NOON + MINUTE - 1);
            subtask.event(0, 1, NOON + MINUTE);
            subtask.event(0, 2, NOON + 3 * MINUTE - 1);
            subtask.event(0, 3, NOON + 3 * MINUTE);
            subtask.event(0, 4, NOON);
            subtask.advance(NOON + MINUTE + 1);
            assertEquals(
                    List.of("news 1 1 0@120000", "news 1 1 0@60000"),
                    subtask.counts().stream().sorted().toList());
            assertEquals(List.of("late 0/4"), subtask.letters());
        }
    }

    @Test
    void fatesThatAnotherJobHasToldAreNotToldAgain() throws Exception {
        FrontSettings settings = bounded();
        settings.ledgerFrom = Map.of(0, 5L);
        try (Subtask subtask = Subtask.start(settings)) {
            subtask.event(0, 3, NOON + 3 * MINUTE - 1);
            subtask.event(0, 4, NOON);
            subtask.event(0, 5, NOON);
            subtask.advance(NOON + MINUTE + 1);
            assertEquals(List.of("news 1 1 0@120000"), subtask.counts());
            assertEquals(List.of("late 0/5"), subtask.letters());
        }
    }

    @Test
    void eventsOfOtherWindowsStillMoveThePartitionsClock() throws Exception {
        try (Subtask subtask = Subtask.start(bounded())) {
            subtask.event(0, 0, NOON + 10 * MINUTE);
            subtask.event(0, 1, NOON + MINUTE);
            subtask.advance(NOON);
            assertEquals(List.of(), subtask.counts());
            assertEquals(List.of("late 0/1"), subtask.letters());
        }
    }

    @Test
    void aStagingFrontReportsNoTime() throws Exception {
        FrontSettings settings = bounded();
        settings.staging = true;
        try (Subtask subtask = Subtask.start(settings)) {
            subtask.event(0, 0, NOON + MINUTE);
            for (int i = 0; i < 10; i++) {
                subtask.elapse();
            }
            assertEquals(List.of(), subtask.reports);
            assertEquals(List.of("news 1 1 0@60000"), subtask.counts());
        }
    }
}
