package ctr.ingest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Counts one partition's events by 1 minute window and segment.
 *
 * <p>In a window the first {@link IngestSettings#maxSegments} distinct segments, in the order of the partition's offsets,
 * keep their names; an event of a further one is counted as {@link Segment#other}. That depends on the topic's content
 * alone, so the names are state.
 */
final class PartitionCounts {

    /** Who is handed what was counted since the last time, each at its own pace. */
    enum Receiver {
        WINDOWS,
        DOCUMENTS
    }

    private static final int ALL_PENDING = (1 << Receiver.values().length) - 1;

    /** Impressions, then the measures, of one segment of one window. */
    private static final class Sums {
        final Segment segment;
        final long[] counted;
        final long[][] handedOn;

        /** A bit for each receiver that has something to come. */
        int pending;

        Sums(Segment segment, int length) {
            this.segment = segment;
            counted = new long[length];
            handedOn = new long[Receiver.values().length][length];
        }
    }

    private static final class Window {
        final Map<Segment, Sums> named = new HashMap<>();
        Sums other;

        /** For each receiver. */
        final List<List<Sums>> pending = List.of(new ArrayList<>(), new ArrayList<>());
    }

    private final int length;
    private final int maxSegments;
    private final Segment other;
    private final Segment probe;
    private final TreeMap<Long, Window> windows = new TreeMap<>();
    private long currentStart = Windows.NONE;
    private Window current;

    PartitionCounts(IngestSettings settings) {
        length = 1 + settings.measures.size();
        maxSegments = settings.maxSegments;
        other = Segment.other(settings);
        probe = other.copy();
    }

    void add(long windowStart, Event event) {
        if (windowStart != currentStart) {
            current = windows.computeIfAbsent(windowStart, start -> new Window());
            currentStart = windowStart;
        }
        probe.set(event.dimensions);
        Sums sums = current.named.get(probe);
        if (sums == null) {
            sums = further();
        }
        sums.counted[0]++;
        for (int i = 0; i < event.measures.length; i++) {
            sums.counted[1 + i] += event.measures[i];
        }
        if (sums.pending != ALL_PENDING) {
            notePending(sums);
        }
    }

    private Sums further() {
        if (current.named.size() < maxSegments) {
            return name(current, probe.copy());
        }
        if (current.other == null) {
            current.other = new Sums(other, length);
        }
        return current.other;
    }

    private Sums name(Window window, Segment segment) {
        Sums sums = new Sums(segment, length);
        window.named.put(segment, sums);
        return sums;
    }

    private void notePending(Sums sums) {
        for (Receiver receiver : Receiver.values()) {
            if ((sums.pending & 1 << receiver.ordinal()) == 0) {
                current.pending.get(receiver.ordinal()).add(sums);
            }
        }
        sums.pending = ALL_PENDING;
    }

    /** Adds to {@code sums}, by window start and segment, what a receiver lacks of the windows that end by {@code endMs}. */
    void handOn(Receiver receiver, long endMs, Map<Long, Map<Segment, long[]>> sums) {
        int number = receiver.ordinal();
        endingBy(endMs).forEach((windowStart, window) -> {
            List<Sums> pending = window.pending.get(number);
            if (pending.isEmpty()) {
                return;
            }
            Map<Segment, long[]> bySegment = sums.computeIfAbsent(windowStart, start -> new HashMap<>());
            for (Sums each : pending) {
                long[] total = bySegment.computeIfAbsent(each.segment, segment -> new long[length]);
                for (int i = 0; i < length; i++) {
                    total[i] += each.counted[i] - each.handedOn[number][i];
                    each.handedOn[number][i] = each.counted[i];
                }
                each.pending &= ~(1 << number);
            }
            pending.clear();
        });
    }

    /** Drops the windows that end by {@code endMs}: no event is counted in them any more, and all of them is handed on. */
    void forget(long endMs) {
        SortedMap<Long, Window> ended = endingBy(endMs);
        if (!ended.isEmpty()) {
            ended.clear();
            currentStart = Windows.NONE;
            current = null;
        }
    }

    private SortedMap<Long, Window> endingBy(long endMs) {
        return endMs == Windows.NONE
                ? new TreeMap<>()
                : windows.headMap(endMs - Windows.ONE_MINUTE_MS, true);
    }

    // ---- state -----------------------------------------------------------------------------------

    /** The names given so far, by window. */
    List<NamedSegments> named(int partition) {
        List<NamedSegments> named = new ArrayList<>();
        windows.forEach((windowStart, window) -> {
            if (!window.named.isEmpty()) {
                named.add(new NamedSegments(partition, windowStart, List.copyOf(window.named.keySet())));
            }
        });
        return named;
    }

    void restore(NamedSegments named) {
        Window window = windows.computeIfAbsent(named.windowStart, start -> new Window());
        for (Segment segment : named.segments) {
            if (segment.values.length == probe.values.length && !window.named.containsKey(segment)) {
                name(window, segment);
            }
        }
    }
}
