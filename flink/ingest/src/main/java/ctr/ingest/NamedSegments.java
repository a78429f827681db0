package ctr.ingest;

import java.util.List;

/** Holds the segments of one window that have a name of their own in one partition. */
final class NamedSegments {

    final int partition;
    final long windowStart;
    final List<Segment> segments;

    NamedSegments(int partition, long windowStart, List<Segment> segments) {
        this.partition = partition;
        this.windowStart = windowStart;
        this.segments = segments;
    }
}
