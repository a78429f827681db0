package ctr.front;

import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * One record of the raw topic on its way from the source to the combiner, which are chained: a
 * single instance per subtask is filled again and again, and nobody may keep it.
 */
final class Event {

    /** The record as it came: coordinates, key, value, headers. */
    ConsumerRecord<byte[], byte[]> record;

    /** {@code COUNTED} while nothing speaks against it; the combiner may yet find it late. */
    Fate fate;

    /** Why it was refused; null while {@code fate} is {@code COUNTED}. */
    String problem;

    long timestampMs;
    long click;

    /** How its record is read; set while {@code fate} is {@code COUNTED}. */
    WriterPlan plan;

    /** Where its id's bytes are in the record's value, if raw events are wanted; a length of -1: it has none. */
    int idPosition;

    int idLength;

    /** Values of the dimensions, in the order of the settings: String or Integer. */
    final Object[] dimensions;

    /** Values of the summed fields, in the order of the settings. */
    final long[] measures;

    Event(int dimensions, int measures) {
        this.dimensions = new Object[dimensions];
        this.measures = new long[measures];
    }

    void accept(ConsumerRecord<byte[], byte[]> next) {
        record = next;
        fate = Fate.COUNTED;
        problem = null;
    }

    void refuse(Fate why, String message) {
        fate = why;
        problem = message;
    }
}
