package ctr.ingest;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.core.JsonGenerator;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;

/** Puts what leaves the ingest stage into rows, as {@link Ingest} declares them. */
final class RowEncoder {

    private final JsonFactory json = new JsonFactory();

    /** The dimensions, impressions, the measures. */
    Row count(Segment segment, long[] sums) {
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

    /** What to add to the documents of a 1 minute window: its start in ms, {@link SegmentBytes}. */
    StreamRecord<Row> delta(long windowStart, Map<Segment, long[]> sums) {
        DataOutputSerializer out = new DataOutputSerializer(64 * sums.size());
        try {
            SegmentBytes.write(sums, out);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return new StreamRecord<>(Row.of(windowStart, out.getCopyOfBuffer()), windowStart);
    }

    /**
     * What a document is made of: window type, window start in ms, whether it is final, and JSON, in which every row
     * ends with impressions and the measures: {@code {"totals": row, "segments": [[dimension, ...] + row, ...],
     * "rest": row or null, "values": [[[value] + row, ...] for each dimension]}}.
     */
    StreamRecord<Row> summary(OpenWindow window, boolean isFinal) {
        String type = window.lengthMs == Windows.ONE_MINUTE_MS ? "1min" : "5min";
        List<OpenWindow.Entry> segments = window.largestSegments(DocumentSummaries.MAX_ENTRIES);
        StringWriter text = new StringWriter();
        try (JsonGenerator out = json.createGenerator(text)) {
            out.writeStartObject();
            out.writeFieldName("totals");
            row(out, new Object[0], window.totals);
            out.writeFieldName("segments");
            rows(out, segments);
            out.writeFieldName("rest");
            if (segments.size() < window.segments.size()) {
                long[] rest = window.totals.clone();
                segments.forEach(each -> Arrays.setAll(rest, i -> rest[i] - each.sums[i]));
                row(out, new Object[0], rest);
            } else {
                out.writeNull();
            }
            out.writeFieldName("values");
            out.writeStartArray();
            for (List<OpenWindow.Entry> values : window.largestValues(DocumentSummaries.MAX_ENTRIES)) {
                rows(out, values);
            }
            out.writeEndArray();
            out.writeEndObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return new StreamRecord<>(Row.of(type, window.startMs, isFinal, text.toString()), window.startMs);
    }

    private static void rows(JsonGenerator out, List<OpenWindow.Entry> entries) throws IOException {
        out.writeStartArray();
        for (OpenWindow.Entry entry : entries) {
            row(out, entry.values, entry.sums);
        }
        out.writeEndArray();
    }

    private static void row(JsonGenerator out, Object[] values, long[] sums) throws IOException {
        out.writeStartArray();
        for (Object value : values) {
            if (value instanceof Integer) {
                out.writeNumber((Integer) value);
            } else {
                out.writeString((String) value);
            }
        }
        for (long sum : sums) {
            out.writeNumber(sum);
        }
        out.writeEndArray();
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
                entry.runStartedMs,
                entry.jobWatermarkMs);
    }
}
