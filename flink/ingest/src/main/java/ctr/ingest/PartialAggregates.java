package ctr.ingest;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** Sums per 1 minute window and segment of what was counted since the last flush. */
final class PartialAggregates {

    /** The values of one event's dimensions; a probe until it is stored. */
    static final class Segment {
        final Object[] values;
        private int hash;

        private Segment(Object[] values, int hash) {
            this.values = values;
            this.hash = hash;
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Segment && Arrays.equals(values, ((Segment) other).values);
        }
    }

    private final int sums;
    private final Map<Long, Map<Segment, long[]>> windows = new TreeMap<>();
    private final Segment probe;
    private long currentStart = Windows.NONE;
    private Map<Segment, long[]> current;

    /** Room for the number of impressions and {@code measures} sums beside it. */
    PartialAggregates(int dimensions, int measures) {
        probe = new Segment(new Object[dimensions], 0);
        sums = 1 + measures;
    }

    void add(long windowStart, Event event) {
        if (windowStart != currentStart) {
            current = windows.computeIfAbsent(windowStart, start -> new HashMap<>());
            currentStart = windowStart;
        }
        int hash = 1;
        for (int i = 0; i < event.dimensions.length; i++) {
            probe.values[i] = event.dimensions[i];
            hash = 31 * hash + event.dimensions[i].hashCode();
        }
        probe.hash = hash;
        long[] counts = current.get(probe);
        if (counts == null) {
            counts = new long[sums];
            current.put(new Segment(probe.values.clone(), hash), counts);
        }
        counts[0]++;
        for (int i = 0; i < event.measures.length; i++) {
            counts[1 + i] += event.measures[i];
        }
    }

    boolean isEmpty() {
        return windows.isEmpty();
    }

    /** By window start, in order; the sums are impressions, then the measures. */
    Map<Long, Map<Segment, long[]>> byWindow() {
        return windows;
    }

    void clear() {
        windows.clear();
        currentStart = Windows.NONE;
        current = null;
    }
}
