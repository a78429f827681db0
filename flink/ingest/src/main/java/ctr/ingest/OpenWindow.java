package ctr.ingest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/** Holds the sums of one window that is not closed, by segment and by each dimension's values. */
final class OpenWindow {

    /** What is named and how often it was counted: impressions, then the measures. */
    static final class Entry {
        final Object[] values;
        final long[] sums;

        Entry(Object[] values, long[] sums) {
            this.values = values;
            this.sums = sums;
        }
    }

    /** The least impressions first; among equals, the last by their values. */
    private static final Comparator<Entry> SMALLEST_FIRST = (first, second) -> {
        int order = Long.compare(first.sums[0], second.sums[0]);
        for (int i = 0; order == 0 && i < first.values.length; i++) {
            order = compare(second.values[i], first.values[i]);
        }
        return order;
    };

    final long lengthMs;
    final long startMs;
    final Map<Segment, long[]> segments = new HashMap<>();
    long[] totals = new long[0];

    /** Whether something was added since the last summary. */
    boolean changed = true;

    private final List<Map<Object, long[]>> byValue = new ArrayList<>();

    OpenWindow(long lengthMs, long startMs) {
        this.lengthMs = lengthMs;
        this.startMs = startMs;
    }

    long endMs() {
        return startMs + lengthMs;
    }

    void add(Map<Segment, long[]> sums) {
        sums.forEach(this::add);
        changed = true;
    }

    private void add(Segment segment, long[] sums) {
        while (byValue.size() < segment.values.length) {
            byValue.add(new HashMap<>());
        }
        totals = Arrays.copyOf(totals, sums.length);
        addTo(totals, sums);
        addTo(segments.computeIfAbsent(segment, each -> new long[sums.length]), sums);
        for (int i = 0; i < segment.values.length; i++) {
            addTo(byValue.get(i).computeIfAbsent(segment.values[i], value -> new long[sums.length]), sums);
        }
    }

    private static void addTo(long[] totals, long[] sums) {
        for (int i = 0; i < sums.length; i++) {
            totals[i] += sums[i];
        }
    }

    /** The segments with most impressions, largest first. */
    List<Entry> largestSegments(int limit) {
        Largest largest = new Largest(limit);
        segments.forEach((segment, sums) -> largest.offer(new Entry(segment.values, sums)));
        return largest.inOrder();
    }

    /** For each dimension, its values with most impressions, largest first. */
    List<List<Entry>> largestValues(int limit) {
        List<List<Entry>> values = new ArrayList<>();
        for (Map<Object, long[]> dimension : byValue) {
            Largest largest = new Largest(limit);
            dimension.forEach((value, sums) -> largest.offer(new Entry(new Object[] {value}, sums)));
            values.add(largest.inOrder());
        }
        return values;
    }

    private static final class Largest {
        private final int limit;
        private final PriorityQueue<Entry> heap = new PriorityQueue<>(SMALLEST_FIRST);

        Largest(int limit) {
            this.limit = limit;
        }

        void offer(Entry entry) {
            if (heap.size() < limit) {
                heap.add(entry);
            } else if (SMALLEST_FIRST.compare(entry, heap.peek()) > 0) {
                heap.poll();
                heap.add(entry);
            }
        }

        List<Entry> inOrder() {
            return heap.stream().sorted(SMALLEST_FIRST.reversed()).toList();
        }
    }

    private static int compare(Object first, Object second) {
        return first instanceof Integer
                ? ((Integer) first).compareTo((Integer) second)
                : ((String) first).compareTo((String) second);
    }
}
