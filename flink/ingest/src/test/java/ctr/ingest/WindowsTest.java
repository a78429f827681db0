package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class WindowsTest {

    @Test
    void aWindowHoldsItsStartAndNotItsEnd() {
        assertEquals(120_000, Windows.start(120_000, Windows.ONE_MINUTE_MS));
        assertEquals(120_000, Windows.start(179_999, Windows.ONE_MINUTE_MS));
        assertEquals(180_000, Windows.start(180_000, Windows.ONE_MINUTE_MS));
        assertEquals(180_000, Windows.oneMinuteEnd(120_000));
        assertEquals(180_000, Windows.oneMinuteEnd(179_999));
    }

    @Test
    void windowsBeforeTheEpochAreAlignedToo() {
        assertEquals(-60_000, Windows.start(-1, Windows.ONE_MINUTE_MS));
        assertEquals(-60_000, Windows.start(-60_000, Windows.ONE_MINUTE_MS));
        assertEquals(-120_000, Windows.start(-60_001, Windows.ONE_MINUTE_MS));
        assertEquals(-300_000, Windows.start(-1, Windows.FIVE_MINUTES_MS));
        assertEquals(0, Windows.oneMinuteEnd(-1));
    }

    @Test
    void everyTimeLiesInExactlyOneWindow() {
        Random random = new Random(1);
        for (int i = 0; i < 10_000; i++) {
            long time = random.nextLong() >> 8;
            for (long length : new long[] {Windows.ONE_MINUTE_MS, Windows.FIVE_MINUTES_MS}) {
                long start = Windows.start(time, length);
                assertTrue(start <= time && time < start + length);
                assertEquals(0, start % length);
            }
            assertEquals(
                    Windows.start(time, Windows.FIVE_MINUTES_MS),
                    Windows.start(Windows.start(time, Windows.ONE_MINUTE_MS), Windows.FIVE_MINUTES_MS));
        }
    }
}
