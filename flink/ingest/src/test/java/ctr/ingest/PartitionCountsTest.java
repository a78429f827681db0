package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.apache.flink.core.io.SimpleVersionedSerialization;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

class PartitionCountsTest {

    private static final long MINUTE = 60_000;
    private static final int CAP = 20;

    private static IngestSettings settings() {
        IngestSettings settings = Samples.settings();
        settings.maxSegments = CAP;
        return settings;
    }

    private static void add(PartitionCounts counts, long windowStart, String category, int device, int click) {
        Event event = new Event(2, 1);
        event.dimensions[0] = category;
        event.dimensions[1] = device;
        event.measures[0] = click;
        counts.add(windowStart, event);
    }

    private static Map<String, Long> handedOn(PartitionCounts counts, PartitionCounts.Receiver receiver, long endMs) {
        Map<Long, Map<Segment, long[]>> sums = new TreeMap<>();
        counts.handOn(receiver, endMs, sums);
        Map<String, Long> impressions = new TreeMap<>();
        sums.forEach((start, bySegment) -> bySegment.forEach((segment, each) ->
                impressions.put((start - NOON) + " " + segment.values[0] + " " + segment.values[1], each[0])));
        return impressions;
    }

    private static Map<String, Long> handedOn(PartitionCounts counts) {
        return handedOn(counts, PartitionCounts.Receiver.WINDOWS, Long.MAX_VALUE);
    }

    @Test
    void theFirstSegmentsOfAWindowKeepTheirNames() {
        PartitionCounts counts = new PartitionCounts(settings());
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < CAP + 5; i++) {
                add(counts, NOON, "c" + i, 1, 0);
            }
        }
        add(counts, NOON + MINUTE, "c" + CAP, 1, 0);
        Map<String, Long> sums = handedOn(counts);
        assertEquals(CAP + 2, sums.size());
        assertEquals(2, sums.get("0 c0 1"));
        assertEquals(2, sums.get("0 c" + (CAP - 1) + " 1"));
        assertEquals(10, sums.get("0 other -1"), "5 segments, 2 events each");
        assertEquals(1, sums.get("60000 c" + CAP + " 1"), "each window has names of its own");
    }

    @Test
    void furtherMeasuresAreSummedOfNamedSegmentsAndOfTheRest() {
        IngestSettings settings = settings();
        settings.maxSegments = 1;
        for (String field : new String[] {"C20", "C21"}) {
            IngestSettings.Measure measure = new IngestSettings.Measure();
            measure.field = field;
            measure.column = field;
            settings.measures.add(measure);
        }
        PartitionCounts counts = new PartitionCounts(settings);
        Event event = new Event(2, 3);
        event.measures[1] = EventDecoder.MAX_MEASURE;
        event.measures[2] = -1;
        event.dimensions[1] = 1;
        for (String category : new String[] {"news", "sports", "travel", "news"}) {
            event.dimensions[0] = category;
            counts.add(NOON, event);
        }
        Map<Long, Map<Segment, long[]>> sums = new TreeMap<>();
        counts.handOn(PartitionCounts.Receiver.WINDOWS, Long.MAX_VALUE, sums);
        counts.add(NOON, event);
        counts.handOn(PartitionCounts.Receiver.WINDOWS, Long.MAX_VALUE, sums);
        long[] news = sums.get(NOON).get(new Segment(new Object[] {"news", 1}));
        assertArrayEquals(new long[] {3, 0, 3 * EventDecoder.MAX_MEASURE, -3}, news, "what is new is added");
        assertArrayEquals(new long[] {2, 0, 2 * EventDecoder.MAX_MEASURE, -2}, sums.get(NOON).get(Segment.other(settings)));
        assertEquals(
                Row.of("news", 1, 3L, 0L, 3_000_000_000_000L, -3L),
                new RowEncoder().count(new Segment(new Object[] {"news", 1}), news));
    }

    @Test
    void aSegmentThatIsCalledLikeTheRestIsCountedWithIt() {
        PartitionCounts counts = new PartitionCounts(settings());
        add(counts, NOON, "other", -1, 1);
        for (int i = 0; i < CAP; i++) {
            add(counts, NOON, "c" + i, 1, 0);
        }
        Map<String, Long> sums = handedOn(counts);
        assertEquals(2, sums.get("0 other -1"));
        assertEquals(CAP, sums.size());
    }

    /** Whatever is handed on when, forgotten and restored: the names are those of the records' order. */
    @Test
    void namesAndSumsDependOnTheRecordsAlone() throws Exception {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            Map<Long, Set<String>> names = new HashMap<>();
            Map<String, Long> expected = new TreeMap<>();
            Map<PartitionCounts.Receiver, Map<String, Long>> received = new HashMap<>();
            PartitionCounts counts = new PartitionCounts(settings());
            long closedMs = NOON;
            for (int i = 0; i < 500; i++) {
                long windowStart = closedMs + random.nextInt(3) * MINUTE;
                String segment = "c" + random.nextInt(30) + " " + random.nextInt(2);
                Set<String> named = names.computeIfAbsent(windowStart, start -> new HashSet<>());
                boolean known = named.contains(segment) || named.size() < CAP && named.add(segment);
                expected.merge((windowStart - NOON) + " " + (known ? segment : "other -1"), 1L, Long::sum);
                String[] values = segment.split(" ");
                add(counts, windowStart, values[0], Integer.parseInt(values[1]), 0);
                switch (random.nextInt(40)) {
                    case 0 -> {
                        closedMs += MINUTE;
                        take(counts, closedMs, received);
                        counts.forget(closedMs);
                    }
                    case 1 -> take(counts, Long.MAX_VALUE, received);
                    case 2 -> {
                        take(counts, Long.MAX_VALUE, received);
                        PartitionCounts restored = new PartitionCounts(settings());
                        for (NamedSegments each : counts.named(3)) {
                            restored.restore(copy(each));
                            restored.restore(copy(each));
                        }
                        counts = restored;
                    }
                    default -> {}
                }
            }
            take(counts, Long.MAX_VALUE, received);
            for (PartitionCounts.Receiver receiver : PartitionCounts.Receiver.values()) {
                assertEquals(expected, received.get(receiver), "seed " + seed);
            }
        }
    }

    private static void take(
            PartitionCounts counts, long endMs, Map<PartitionCounts.Receiver, Map<String, Long>> received) {
        for (PartitionCounts.Receiver receiver : PartitionCounts.Receiver.values()) {
            Map<String, Long> total = received.computeIfAbsent(receiver, each -> new TreeMap<>());
            handedOn(counts, receiver, endMs).forEach((segment, more) -> total.merge(segment, more, Long::sum));
        }
    }

    private static NamedSegments copy(NamedSegments named) throws Exception {
        NamedSegments copy = SimpleVersionedSerialization.readVersionAndDeSerialize(
                StateFormats.NAMED_SEGMENTS,
                SimpleVersionedSerialization.writeVersionAndSerialize(StateFormats.NAMED_SEGMENTS, named));
        assertEquals(3, copy.partition);
        return copy;
    }

    @Test
    void namesOfOtherDimensionsAreNotRestored() {
        PartitionCounts counts = new PartitionCounts(settings());
        counts.restore(new NamedSegments(0, NOON, List.of(new Segment(new Object[] {"news"}))));
        assertEquals(List.of(), counts.named(0));
    }
}
