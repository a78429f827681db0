package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GlobalWatermarkTest {

    private final GlobalWatermark watermark = new GlobalWatermark(Samples.settings().timeRules);

    private void valid(int partition, long timeMs) {
        PartitionProgress seen = new PartitionProgress(partition);
        seen.highestEventTimeMs = timeMs;
        watermark.advance(seen);
        watermark.active(partition);
    }

    private void passes(long elapsedMs) {
        for (long left = elapsedMs; left > 0; left -= 100) {
            watermark.tick(100);
        }
    }

    @Test
    void itIsTheMinimumOfThePartitionWatermarks() {
        watermark.setPartitionCount(3);
        valid(0, NOON + 30_000);
        valid(1, NOON + 10_000);
        valid(2, NOON + 20_000);
        watermark.tick(100);
        assertEquals(NOON, watermark.watermarkMs());
        valid(1, NOON + 25_000);
        watermark.tick(100);
        assertEquals(NOON + 10_000, watermark.watermarkMs());
    }

    @Test
    void aPartitionNotSeenYetHoldsItForFifteenSeconds() {
        watermark.setPartitionCount(2);
        for (int i = 0; i < 149; i++) {
            valid(0, NOON);
            watermark.tick(100);
        }
        assertEquals(Windows.NONE, watermark.watermarkMs());
        valid(0, NOON);
        watermark.tick(100);
        assertEquals(NOON - 10_000, watermark.watermarkMs());
    }

    @Test
    void anIdlePartitionHoldsItForFifteenSeconds() {
        valid(0, NOON);
        valid(1, NOON);
        for (int i = 0; i < 149; i++) {
            valid(0, NOON + 60_000);
            watermark.tick(100);
        }
        assertEquals(NOON - 10_000, watermark.watermarkMs());
        valid(0, NOON + 60_000);
        watermark.tick(100);
        assertEquals(NOON + 50_000, watermark.watermarkMs());
    }

    @Test
    void aPartitionThatComesBackDoesNotTurnItBack() {
        anIdlePartitionHoldsItForFifteenSeconds();
        valid(1, NOON + 1);
        watermark.tick(100);
        assertEquals(NOON + 50_000, watermark.watermarkMs());
        valid(0, NOON + 120_000);
        watermark.tick(100);
        assertEquals(NOON + 50_000, watermark.watermarkMs(), "partition 1 is active again and holds it");
    }

    @Test
    void afterAllWereIdleAllCountAsActive() {
        valid(0, NOON);
        valid(1, NOON + 5_000);
        passes(20_000);
        assertEquals(NOON - 10_000, watermark.watermarkMs(), "idleness alone moves nothing");
        valid(1, NOON + 300_000);
        watermark.tick(100);
        assertEquals(NOON - 10_000, watermark.watermarkMs(), "partition 0 may hold older events and has a chance");
        for (int i = 0; i < 149; i++) {
            valid(1, NOON + 300_000);
            watermark.tick(100);
        }
        assertEquals(NOON + 290_000, watermark.watermarkMs());
    }

    @Test
    void itNeverGoesBack() {
        Random random = new Random(1);
        watermark.setPartitionCount(4);
        long before = watermark.watermarkMs();
        for (int i = 0; i < 20_000; i++) {
            switch (random.nextInt(40)) {
                case 0 -> passes(random.nextInt(200) * 100L);
                case 1 -> watermark.closeLastWindows(NOON + random.nextInt(4_000_000));
                case 2 -> watermark.restore(NOON + random.nextInt(1_000_000));
                case 3 -> watermark.setPartitionCount(4 + random.nextInt(4));
                default -> valid(random.nextInt(4), NOON + i * 100L + random.nextInt(100_000));
            }
            watermark.tick(100);
            assertTrue(watermark.watermarkMs() >= before);
            before = watermark.watermarkMs();
        }
    }

    @Test
    void theTopicIsIdleAfterAMinuteWithoutAValidRecord() {
        assertFalse(watermark.topicIdle(), "nothing is known yet");
        valid(0, NOON);
        valid(1, NOON);
        passes(59_900);
        assertFalse(watermark.topicIdle());
        watermark.tick(100);
        assertTrue(watermark.topicIdle());
        valid(1, NOON);
        assertFalse(watermark.topicIdle());
    }

    @Test
    void theTopicIsNotIdleWhileOnePartitionIsActive() {
        valid(0, NOON);
        valid(1, NOON);
        for (int i = 0; i < 700; i++) {
            valid(1, NOON);
            watermark.tick(100);
        }
        assertFalse(watermark.topicIdle());
    }

    @Test
    void theLastWindowsCloseTenSecondsAfterTheirEnds() {
        valid(0, NOON + 61_000);
        valid(1, NOON + 119_999);
        passes(60_000);
        assertEquals(NOON + 51_000, watermark.watermarkMs());
        watermark.closeLastWindows(NOON + 129_999);
        assertEquals(NOON + 51_000, watermark.watermarkMs());
        watermark.closeLastWindows(NOON + 130_000);
        assertEquals(NOON + 120_000, watermark.watermarkMs(), "the end of the last minute");
        assertFalse(watermark.closed());
        watermark.closeLastWindows(NOON + 309_999);
        assertEquals(NOON + 120_000, watermark.watermarkMs());
        watermark.closeLastWindows(NOON + 310_000);
        assertEquals(NOON + 300_000, watermark.watermarkMs(), "the end of the last five minutes");
        assertTrue(watermark.closed());
    }

    @Test
    void aTopicWithoutEventsHasNoWindowsToClose() {
        watermark.setPartitionCount(4);
        passes(120_000);
        watermark.closeLastWindows(NOON);
        assertEquals(Windows.NONE, watermark.watermarkMs());
        assertTrue(watermark.closed());
    }

    @Test
    void aRestoredJobGoesOnFromItsWatermark() {
        watermark.restore(NOON);
        assertEquals(NOON, watermark.watermarkMs());
        watermark.restore(NOON - 1);
        valid(0, NOON + 9_999);
        watermark.tick(100);
        assertEquals(NOON, watermark.watermarkMs());
        valid(0, NOON + 10_001);
        watermark.tick(100);
        assertEquals(NOON + 1, watermark.watermarkMs());
    }

    @Test
    void itKnowsWhereEveryPartitionStands() {
        watermark.setPartitionCount(2);
        PartitionProgress read = new PartitionProgress(1);
        read.nextOffset = 42;
        watermark.advance(read);
        assertEquals(Map.of(0, 0L, 1, 42L), watermark.nextOffsets());
        read.nextOffset = 41;
        watermark.advance(read);
        assertEquals(Map.of(0, 0L, 1, 42L), watermark.nextOffsets());
    }
}
