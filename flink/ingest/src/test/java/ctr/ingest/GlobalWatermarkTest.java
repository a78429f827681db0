package ctr.front;

import static ctr.front.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JobClockTest {

    private final JobClock clock = new JobClock();

    private void valid(int partition, long timeMs) {
        PartitionClock seen = new PartitionClock(partition);
        seen.highestEventTimeMs = timeMs;
        clock.advance(seen);
        clock.active(partition);
    }

    private void passes(long elapsedMs) {
        for (long left = elapsedMs; left > 0; left -= 100) {
            clock.tick(100);
        }
    }

    @Test
    void itIsTheMinimumOfThePartitionWatermarks() {
        clock.setPartitionCount(3);
        valid(0, NOON + 30_000);
        valid(1, NOON + 10_000);
        valid(2, NOON + 20_000);
        clock.tick(100);
        assertEquals(NOON, clock.watermarkMs());
        valid(1, NOON + 25_000);
        clock.tick(100);
        assertEquals(NOON + 10_000, clock.watermarkMs());
    }

    @Test
    void aPartitionNotSeenYetHoldsItForFifteenSeconds() {
        clock.setPartitionCount(2);
        for (int i = 0; i < 149; i++) {
            valid(0, NOON);
            clock.tick(100);
        }
        assertEquals(Windows.NONE, clock.watermarkMs());
        valid(0, NOON);
        clock.tick(100);
        assertEquals(NOON - 10_000, clock.watermarkMs());
    }

    @Test
    void anIdlePartitionHoldsItForFifteenSeconds() {
        valid(0, NOON);
        valid(1, NOON);
        for (int i = 0; i < 149; i++) {
            valid(0, NOON + 60_000);
            clock.tick(100);
        }
        assertEquals(NOON - 10_000, clock.watermarkMs());
        valid(0, NOON + 60_000);
        clock.tick(100);
        assertEquals(NOON + 50_000, clock.watermarkMs());
    }

    @Test
    void aPartitionThatComesBackDoesNotTurnItBack() {
        anIdlePartitionHoldsItForFifteenSeconds();
        valid(1, NOON + 1);
        clock.tick(100);
        assertEquals(NOON + 50_000, clock.watermarkMs());
        valid(0, NOON + 120_000);
        clock.tick(100);
        assertEquals(NOON + 50_000, clock.watermarkMs(), "partition 1 is active again and holds it");
    }

    @Test
    void afterAllWereIdleAllCountAsActive() {
        valid(0, NOON);
        valid(1, NOON + 5_000);
        passes(20_000);
        assertEquals(NOON - 10_000, clock.watermarkMs(), "idleness alone moves nothing");
        valid(1, NOON + 300_000);
        clock.tick(100);
        assertEquals(NOON - 10_000, clock.watermarkMs(), "partition 0 may hold older events and has a chance");
        for (int i = 0; i < 149; i++) {
            valid(1, NOON + 300_000);
            clock.tick(100);
        }
        assertEquals(NOON + 290_000, clock.watermarkMs());
    }

    @Test
    void itNeverGoesBack() {
        Random random = new Random(1);
        clock.setPartitionCount(4);
        long before = clock.watermarkMs();
        for (int i = 0; i < 20_000; i++) {
            switch (random.nextInt(40)) {
                case 0 -> passes(random.nextInt(200) * 100L);
                case 1 -> clock.closeLastWindows(NOON + random.nextInt(4_000_000));
                case 2 -> clock.restore(NOON + random.nextInt(1_000_000));
                case 3 -> clock.setPartitionCount(4 + random.nextInt(4));
                default -> valid(random.nextInt(4), NOON + i * 100L + random.nextInt(100_000));
            }
            clock.tick(100);
            assertTrue(clock.watermarkMs() >= before);
            before = clock.watermarkMs();
        }
    }

    @Test
    void itIsSilentAfterAMinuteWithoutAValidRecord() {
        assertFalse(clock.silent(), "nothing is known yet");
        valid(0, NOON);
        valid(1, NOON);
        passes(59_900);
        assertFalse(clock.silent());
        clock.tick(100);
        assertTrue(clock.silent());
        valid(1, NOON);
        assertFalse(clock.silent());
    }

    @Test
    void onePartitionThatSpeaksIsNotSilence() {
        valid(0, NOON);
        valid(1, NOON);
        for (int i = 0; i < 700; i++) {
            valid(1, NOON);
            clock.tick(100);
        }
        assertFalse(clock.silent());
    }

    @Test
    void theLastWindowsCloseTenSecondsAfterTheirEnds() {
        valid(0, NOON + 61_000);
        valid(1, NOON + 119_999);
        passes(60_000);
        assertEquals(NOON + 51_000, clock.watermarkMs());
        clock.closeLastWindows(NOON + 129_999);
        assertEquals(NOON + 51_000, clock.watermarkMs());
        clock.closeLastWindows(NOON + 130_000);
        assertEquals(NOON + 120_000, clock.watermarkMs(), "the end of the last minute");
        assertFalse(clock.closed());
        clock.closeLastWindows(NOON + 309_999);
        assertEquals(NOON + 120_000, clock.watermarkMs());
        clock.closeLastWindows(NOON + 310_000);
        assertEquals(NOON + 300_000, clock.watermarkMs(), "the end of the last five minutes");
        assertTrue(clock.closed());
    }

    @Test
    void aTopicWithoutEventsHasNoWindowsToClose() {
        clock.setPartitionCount(4);
        passes(120_000);
        clock.closeLastWindows(NOON);
        assertEquals(Windows.NONE, clock.watermarkMs());
        assertTrue(clock.closed());
    }

    @Test
    void aRestoredJobGoesOnFromItsWatermark() {
        clock.restore(NOON);
        assertEquals(NOON, clock.watermarkMs());
        clock.restore(NOON - 1);
        valid(0, NOON + 9_999);
        clock.tick(100);
        assertEquals(NOON, clock.watermarkMs());
        valid(0, NOON + 10_001);
        clock.tick(100);
        assertEquals(NOON + 1, clock.watermarkMs());
    }

    @Test
    void itKnowsWhereEveryPartitionStands() {
        clock.setPartitionCount(2);
        PartitionClock read = new PartitionClock(1);
        read.nextOffset = 42;
        clock.advance(read);
        assertEquals(Map.of(0, 0L, 1, 42L), clock.nextOffsets());
        read.nextOffset = 41;
        clock.advance(read);
        assertEquals(Map.of(0, 0L, 1, 42L), clock.nextOffsets());
    }
}
