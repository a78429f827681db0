package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GlobalWatermarkTest {

    private final GlobalWatermark watermark = new GlobalWatermark(Samples.settings().timeRules);

    private void valid(int partition, long timeMs) {
        read(partition, timeMs);
        watermark.active(partition);
    }

    /** One more record is read, of which the newest has this time. */
    private void read(int partition, long timeMs) {
        PartitionProgress seen = new PartitionProgress(partition);
        seen.addValid(timeMs, timeMs);
        seen.nextOffset = nextOffset(partition) + 1;
        watermark.advance(seen);
    }

    private long nextOffset(int partition) {
        return watermark.nextOffsets().getOrDefault(partition, 0L);
    }

    /** A tenth of a second passes, after the broker has said that all is read. */
    private void tick() {
        watermark.nextOffsets().forEach(watermark::endsAt);
        watermark.tick(100);
    }

    private void passes(long elapsedMs) {
        for (long left = elapsedMs; left > 0; left -= 100) {
            tick();
        }
    }

    @Test
    void itIsTheMinimumOfThePartitionWatermarks() {
        watermark.setPartitionCount(3);
        valid(0, NOON + 30_000);
        valid(1, NOON + 10_000);
        valid(2, NOON + 20_000);
        tick();
        assertEquals(NOON, watermark.watermarkMs());
        valid(1, NOON + 25_000);
        tick();
        assertEquals(NOON + 10_000, watermark.watermarkMs());
    }

    @Test
    void aPartitionNotSeenYetHoldsItForFifteenSeconds() {
        watermark.setPartitionCount(2);
        for (int i = 0; i < 149; i++) {
            valid(0, NOON);
            tick();
        }
        assertEquals(Windows.NONE, watermark.watermarkMs());
        valid(0, NOON);
        tick();
        assertEquals(NOON - 10_000, watermark.watermarkMs());
    }

    @Test
    void whatItDoesNotWaitForIsToldForTheLog() {
        valid(0, NOON);
        valid(1, NOON);
        tick();
        assertEquals(Set.of(), watermark.passedOver());
        for (int i = 0; i < 150; i++) {
            valid(0, NOON);
            tick();
        }
        assertEquals(Set.of(1), watermark.passedOver());
        valid(1, NOON);
        tick();
        assertEquals(Set.of(), watermark.passedOver());
    }

    @Test
    void anIdlePartitionHoldsItForFifteenSeconds() {
        valid(0, NOON);
        valid(1, NOON);
        for (int i = 0; i < 149; i++) {
            valid(0, NOON + 60_000);
            tick();
        }
        assertEquals(NOON - 10_000, watermark.watermarkMs());
        valid(0, NOON + 60_000);
        tick();
        assertEquals(NOON + 50_000, watermark.watermarkMs());
    }

    @Test
    void aPartitionThatComesBackDoesNotTurnItBack() {
        anIdlePartitionHoldsItForFifteenSeconds();
        valid(1, NOON + 1);
        tick();
        assertEquals(NOON + 50_000, watermark.watermarkMs());
        valid(0, NOON + 120_000);
        tick();
        assertEquals(NOON + 50_000, watermark.watermarkMs(), "partition 1 is active again and holds it");
    }

    @Test
    void afterAllWereIdleAllCountAsActive() {
        valid(0, NOON);
        valid(1, NOON + 5_000);
        passes(20_000);
        assertEquals(NOON - 10_000, watermark.watermarkMs(), "idleness alone moves nothing");
        valid(1, NOON + 300_000);
        tick();
        assertEquals(NOON - 10_000, watermark.watermarkMs(), "partition 0 may hold older events and has a chance");
        for (int i = 0; i < 149; i++) {
            valid(1, NOON + 300_000);
            tick();
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
            tick();
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
        tick();
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
            tick();
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
        tick();
        assertEquals(NOON, watermark.watermarkMs());
        valid(0, NOON + 10_001);
        tick();
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

    /** Partition 1 stays active at this time while 0 is at another, for so many tenths of a second. */
    private void goOn(long firstMs, long secondMs, int ticks) {
        for (int i = 0; i < ticks; i++) {
            valid(0, firstMs);
            valid(1, secondMs);
            tick();
        }
    }

    @Test
    void aStragglerDoesNotHoldIt() {
        goOn(NOON + 300_000, NOON, 700);
        assertEquals(NOON - 10_000, watermark.watermarkMs(), "five minutes behind are not more than five");
        goOn(NOON + 300_001, NOON, 149);
        assertEquals(NOON - 10_000, watermark.watermarkMs(), "it has 15 s to catch up");
        goOn(NOON + 300_001, NOON, 1);
        assertEquals(NOON + 290_001, watermark.watermarkMs());
        goOn(NOON + 400_000, NOON + 295_000, 1);
        assertEquals(NOON + 290_001, watermark.watermarkMs(), "it has caught up and holds it again");
        goOn(NOON + 900_000, NOON + 295_000, 149);
        assertEquals(NOON + 290_001, watermark.watermarkMs(), "and has its time anew");
    }

    @Test
    void whileAllAreIdleNobodyIsBehind() {
        valid(0, NOON + 400_000);
        valid(1, NOON);
        passes(40_000);
        valid(0, NOON + 400_001);
        tick();
        assertEquals(NOON - 10_000, watermark.watermarkMs(), "all count as active again, and have their time");
    }

    @Test
    void whoIsBehindWithRecordsToReadIsNoStraggler() {
        for (int i = 0; i < 700; i++) {
            valid(0, NOON + 3_600_000);
            valid(1, NOON);
            watermark.endsAt(0, nextOffset(0));
            watermark.endsAt(1, 701);
            watermark.tick(100);
        }
        assertEquals(NOON - 10_000, watermark.watermarkMs());
        read(1, NOON);
        watermark.tick(100);
        assertEquals(NOON + 3_590_000, watermark.watermarkMs(), "read to where it ended");
    }

    @Test
    void nobodyIsAStragglerWhileTheBrokerSaysNothing() {
        goOn(NOON + 3_600_000, NOON, 150);
        assertEquals(NOON + 3_590_000, watermark.watermarkMs());
        for (int i = 0; i < 26; i++) {
            valid(0, NOON + 3_600_000);
            valid(1, NOON);
            watermark.tick(100);
        }
        valid(0, NOON + 7_200_000);
        watermark.tick(100);
        assertEquals(NOON + 3_590_000, watermark.watermarkMs(), "what it said seconds ago does not hold");
    }

    @Test
    void theNewestOfThoseThatAreActiveMakesTheStragglers() {
        read(0, NOON);
        for (int i = 0; i < 700; i++) {
            valid(1, NOON - 7_200_000 + i);
            tick();
        }
        assertEquals(NOON - 7_200_000 + 699 - 10_000, watermark.watermarkMs(), "partition 0 is idle");
    }

    @Test
    void aPartitionWithRecordsThatNobodyCanReadIsNotIdle() {
        valid(0, NOON);
        valid(1, NOON);
        for (int i = 0; i < 700; i++) {
            valid(0, NOON + 60_000);
            watermark.endsAt(0, nextOffset(0));
            watermark.endsAt(1, 2); // of an open transaction, say
            watermark.tick(100);
        }
        assertEquals(NOON - 10_000, watermark.watermarkMs());
        valid(1, NOON + 1);
        valid(0, NOON + 60_000);
        tick();
        assertEquals(NOON - 9_999, watermark.watermarkMs(), "read just now, and perhaps more to come");
        for (int i = 0; i < 150; i++) {
            valid(0, NOON + 60_000);
            tick();
        }
        assertEquals(NOON + 50_000, watermark.watermarkMs());
    }

    @Test
    void withoutAWordOfTheBrokerNobodyIsIdle() {
        valid(0, NOON);
        valid(1, NOON);
        for (int i = 0; i < 700; i++) {
            valid(0, NOON + 60_000);
            watermark.tick(100);
        }
        assertEquals(NOON - 10_000, watermark.watermarkMs());
        tick();
        assertEquals(NOON + 50_000, watermark.watermarkMs());
    }

    @Test
    void aPartitionOfGarbageIsIdleHoweverMuchIsLeft() {
        valid(0, NOON);
        valid(1, NOON);
        for (int i = 0; i < 151; i++) {
            valid(0, NOON + 60_000);
            read(1, NOON);
            watermark.endsAt(1, 1_000_000);
            watermark.tick(100);
        }
        assertEquals(NOON + 50_000, watermark.watermarkMs());
    }

    @Test
    void theTopicIsNotIdleWhileSomethingIsLeftToRead() {
        valid(0, NOON);
        passes(60_000);
        assertTrue(watermark.topicIdle());
        watermark.endsAt(0, 2);
        assertFalse(watermark.topicIdle());
    }

    @Test
    void theLastWindowMayBeOfAnEventAheadOfTheBroker() {
        PartitionProgress ahead = new PartitionProgress(0);
        ahead.addValid(NOON + 60_000, NOON + 1_000);
        watermark.advance(ahead);
        assertFalse(watermark.closed());
        watermark.closeLastWindows(NOON + 130_000);
        assertEquals(NOON + 120_000, watermark.watermarkMs());
    }
}
