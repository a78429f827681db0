package ctr.ingest;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Map;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.core.JsonGenerator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;

/** Puts what leaves the pre-aggregation into rows, as {@link Ingest} declares them. */
final class RowEncoder {

    private final JsonFactory json = new JsonFactory();

    /** The dimensions, impressions, the measures. */
    Row count(PartialAggregates.Segment segment, long[] sums) {
        Row row = new Row(segment.values.length + sums.length);
        int at = 0;
        for (Object value : segment.values) {
            row.setField(at++, value);
        }
        for (long sum : sums) {
            row.setField(at++, sum);
        }
        return row;
    }

    /** Window type, window start in ms, segments. */
    StreamRecord<Row> document(String windowType, long windowStart, String segments) {
        return new StreamRecord<>(Row.of(windowType, windowStart, segments), windowStart);
    }

    /** {@code [[dimension, ..., impressions, measure, ...], ...]}. */
    String segmentsJson(Map<PartialAggregates.Segment, long[]> counts) {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = json.createGenerator(text)) {
            out.writeStartArray();
            for (Map.Entry<PartialAggregates.Segment, long[]> entry : counts.entrySet()) {
                out.writeStartArray();
                for (Object value : entry.getKey().values) {
                    if (value instanceof Integer) {
                        out.writeNumber((Integer) value);
                    } else {
                        out.writeString((String) value);
                    }
                }
                for (long sum : entry.getValue()) {
                    out.writeNumber(sum);
                }
                out.writeEndArray();
            }
            out.writeEndArray();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.toString();
    }

    /** As the table {@code quality.ledger}, times in ms. */
    Row ledger(LedgerEntry entry) {
        return Row.of(
                entry.topic,
                entry.partition,
                entry.firstOffset,
                entry.lastOffset,
                entry.checkpointId,
                entry.recordsRead,
                entry.byOutcome[Outcome.COUNTED.ordinal()],
                entry.byOutcome[Outcome.LATE.ordinal()],
                entry.byOutcome[Outcome.MALFORMED.ordinal()],
                entry.byOutcome[Outcome.UNKNOWN_SCHEMA.ordinal()],
                entry.byOutcome[Outcome.INVALID.ordinal()],
                entry.jobId,
                entry.runStartedMs);
    }
}
