package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;

/** What the settings say of time is what every part of the stage obeys; the other tests use the contract's values. */
class TimeRulesTest {

    private static IngestSettings quick() {
        IngestSettings settings = Samples.settings();
        settings.timeRules.outOfOrdernessMs = 1_000;
        settings.timeRules.partitionIdleMs = 200;
        settings.timeRules.topicIdleMs = 500;
        settings.timeRules.maxAheadMs = 2_000;
        settings.timeRules.stragglerAfterMs = 3_000;
        return settings;
    }

    @Test
    void theJobsDefaultsAreTheContracts() {
        TimeRules rules = Samples.settings().timeRules;
        assertEquals(10_000, rules.outOfOrdernessMs);
        assertEquals(15_000, rules.partitionIdleMs);
        assertEquals(60_000, rules.topicIdleMs);
        assertEquals(60_000, rules.maxAheadMs);
        assertEquals(300_000, rules.stragglerAfterMs);
        assertEquals(50_000, rules.partitionWatermark(60_000));
        assertEquals(Windows.NONE, rules.partitionWatermark(Windows.NONE));
    }

    @Test
    void theyTravelWithTheSettings() throws Exception {
        assertEquals(200, InstantiationUtil.clone(quick()).timeRules.partitionIdleMs);
    }

    @Test
    void latenessBeginsAfterTheOutOfOrderness() throws Exception {
        try (Subtask subtask = Subtask.start(quick())) {
            subtask.event(0, 0, NOON + 60_999);
            subtask.event(0, 1, NOON);
            subtask.event(0, 2, NOON + 61_000);
            subtask.event(0, 3, NOON);
            assertEquals(List.of("late 0/3"), subtask.deadLetters());
        }
    }

    @Test
    void idlenessAndTheLastWindowsFollowThem() {
        GlobalWatermark watermark = new GlobalWatermark(quick().timeRules);
        watermark.setPartitionCount(2);
        PartitionProgress read = new PartitionProgress(0);
        read.addValid(NOON, NOON);
        watermark.advance(read);
        watermark.active(0);
        watermark.endsAt(0, 0);
        watermark.endsAt(1, 0);
        watermark.tick(100);
        assertEquals(Windows.NONE, watermark.watermarkMs(), "partition 1 may hold older events");
        watermark.active(0);
        watermark.tick(100);
        assertEquals(NOON - 1_000, watermark.watermarkMs(), "it was idle for 200 ms");
        watermark.tick(300);
        assertFalse(watermark.topicIdle());
        watermark.tick(100);
        assertTrue(watermark.topicIdle());
        watermark.closeLastWindows(NOON + 60_999);
        assertEquals(NOON - 1_000, watermark.watermarkMs());
        watermark.closeLastWindows(NOON + 61_000);
        assertEquals(NOON + 60_000, watermark.watermarkMs());
    }

    @Test
    void aStragglerIsBehindByThem() {
        GlobalWatermark watermark = new GlobalWatermark(quick().timeRules);
        for (int partition = 0; partition < 2; partition++) {
            PartitionProgress read = new PartitionProgress(partition);
            read.addValid(NOON + 3_001 * partition, NOON + 60_000);
            watermark.advance(read);
            watermark.endsAt(partition, 0);
        }
        watermark.tick(199);
        assertEquals(NOON - 1_000, watermark.watermarkMs());
        watermark.tick(0);
        watermark.active(0);
        watermark.active(1);
        watermark.tick(1);
        assertEquals(NOON + 2_001, watermark.watermarkMs(), "it was behind for 200 ms");
    }

    @Test
    void anEventMayBeAheadByThem() throws Exception {
        try (Registry registry = new Registry(0).knows(Samples.SCHEMA_ID, Samples.settings().readerSchema)) {
            IngestSettings settings = quick();
            settings.registryUrl = registry.url();
            EventDecoder decoder = new EventDecoder(settings);
            decoder.open(null);
            assertEquals(Outcome.COUNTED, outcome(decoder, 2_000));
            assertEquals(Outcome.INVALID, outcome(decoder, 2_001));
        }
    }

    private static Outcome outcome(EventDecoder decoder, long aheadMs) throws Exception {
        byte[] avro = Samples.encode(Samples.event("news", 1, 0, NOON + aheadMs));
        return EventDecoderTest.decode(decoder, Samples.wire(Samples.SCHEMA_ID, avro), NOON).outcome;
    }
}
