package ctr.ingest;

import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * One record of the raw topic on its way from the source to the pre-aggregation, which are chained: a
 * single instance per subtask is filled again and again, and nobody may keep it.
 */
final class Event {

    /** The record as it came: coordinates, key, value, headers. */
    ConsumerRecord<byte[], byte[]> record;

    /** {@code COUNTED} while nothing speaks against it; the pre-aggregation may yet find it late. */
    Outcome outcome;

    /** Why it was rejected; null while {@code outcome} is {@code COUNTED}. */
    String problem;

    long timestampMs;
    long click;

    /** How its record is read; set while {@code outcome} is {@code COUNTED}. */
    DecodePlan plan;

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

    void load(ConsumerRecord<byte[], byte[]> next) {
        record = next;
        outcome = Outcome.COUNTED;
        problem = null;
    }

    void reject(Outcome why, String message) {
        outcome = why;
        problem = message;
    }
}
