package ctr.ingest;

import java.util.Arrays;

/** Holds one combination of the dimensions' values, each a String or an Integer. */
final class Segment {

    /** Stands for the segments of a window that have no name of their own: this, or {@link #OTHER_NUMBER}. */
    static final String OTHER = "other";

    static final Integer OTHER_NUMBER = -1;

    final Object[] values;
    private int hash;

    Segment(Object[] values) {
        this.values = values;
        rehash();
    }

    /** The one segment that all further ones of a window are counted as. */
    static Segment other(IngestSettings settings) {
        return new Segment(settings.dimensions.stream()
                .map(dimension -> dimension.isText() ? OTHER : (Object) OTHER_NUMBER)
                .toArray());
    }

    /** Takes over an event's values, for a look-up without an allocation. */
    void set(Object[] others) {
        System.arraycopy(others, 0, values, 0, values.length);
        rehash();
    }

    Segment copy() {
        return new Segment(values.clone());
    }

    private void rehash() {
        int sum = 1;
        for (Object value : values) {
            sum = 31 * sum + value.hashCode();
        }
        hash = sum;
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
