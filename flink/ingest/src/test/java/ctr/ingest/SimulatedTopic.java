package ctr.ingest;

import static ctr.ingest.Samples.NOON;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;

/** Four minutes of a topic, by a seed: partitions that pause, lag behind, hold events of the past, late ones or garbage. */
final class SimulatedTopic {

    static final long SPAN_MS = 4 * Windows.ONE_MINUTE_MS;

    /** More than {@code Simulation.CAP}, so that some events have no segment of their own. */
    private static final int CATEGORIES = 6;

    private static final String[] NAMES = {"c0", "c1", "c2", "c3", "c4", "c5"};

    /** A record of the topic, from when the broker wrote it. */
    record Appended(ConsumerRecord<byte[], byte[]> record, long brokerMs, long eventMs, String category, int click, boolean valid) {}

    private final SplittableRandom random;

    /** Every time is a multiple of this: with whole seconds, times often meet at a window's very end. */
    private final long unitMs;

    private final List<List<Appended>> partitions = new ArrayList<>();
    private final int[] ends;

    SimulatedTopic(SplittableRandom random) {
        this.random = random;
        unitMs = random.nextBoolean() ? 1_000 : 1;
        int count = 1 + random.nextInt(4);
        for (int partition = 0; partition < count; partition++) {
            partitions.add(fill(partition));
        }
        ends = new int[count];
    }

    private List<Appended> fill(int partition) {
        List<Appended> records = new ArrayList<>();
        long brokerMs = NOON + random.nextInt(5_000);
        long behindMs = chance(5) ? random.nextInt(120_000) : 0;
        boolean garbage = false;
        while (brokerMs < NOON + SPAN_MS) {
            if (chance(30)) {
                garbage = random.nextBoolean();
                behindMs = chance(4) ? random.nextInt(120_000) : behindMs;
            }
            long jitterMs = chance(12) ? random.nextInt(90_000) : random.nextInt(2_000);
            long aheadMs = chance(12) ? random.nextInt(5_000) : 0;
            long writtenMs = brokerMs / unitMs * unitMs;
            long eventMs = (brokerMs - behindMs - jitterMs + aheadMs) / unitMs * unitMs;
            int offset = records.size();
            records.add(new Appended(
                    Samples.record(partition, offset, writtenMs, new byte[] {(byte) offset}),
                    writtenMs, eventMs, NAMES[random.nextInt(CATEGORIES)], offset % 2, !garbage));
            brokerMs += chance(25) ? random.nextInt(20_000) : random.nextInt(1_500);
        }
        return records;
    }

    private boolean chance(int of) {
        return random.nextInt(of) == 0;
    }

    int partitions() {
        return partitions.size();
    }

    Appended get(int partition, int offset) {
        return partitions.get(partition).get(offset);
    }

    /** Records that the broker will ever have. */
    int size(int partition) {
        return partitions.get(partition).size();
    }

    /** Records that the broker has by now. */
    int end(int partition, long nowMs) {
        while (ends[partition] < size(partition) && get(partition, ends[partition]).brokerMs <= nowMs) {
            ends[partition]++;
        }
        return ends[partition];
    }
}
