package ctr.ingest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/** Defines the bytes of segments and their sums, in state and between operators: every value says its type. */
final class SegmentBytes {

    private static final int NUMBER = 0;
    private static final int TEXT = 1;

    private SegmentBytes() {}

    static void write(Segment segment, DataOutputSerializer out) throws IOException {
        out.writeByte(segment.values.length);
        for (Object value : segment.values) {
            if (value instanceof Integer) {
                out.writeByte(NUMBER);
                out.writeInt((Integer) value);
            } else {
                byte[] text = ((String) value).getBytes(StandardCharsets.UTF_8);
                out.writeByte(TEXT);
                out.writeInt(text.length);
                out.write(text);
            }
        }
    }

    static Segment read(DataInputDeserializer in) throws IOException {
        Object[] values = new Object[in.readByte()];
        for (int i = 0; i < values.length; i++) {
            if (in.readByte() == NUMBER) {
                values[i] = in.readInt();
            } else {
                byte[] text = new byte[in.readInt()];
                in.readFully(text);
                values[i] = new String(text, StandardCharsets.UTF_8);
            }
        }
        return new Segment(values);
    }

    static void write(Map<Segment, long[]> sums, DataOutputSerializer out) throws IOException {
        out.writeInt(sums.size());
        for (Map.Entry<Segment, long[]> entry : sums.entrySet()) {
            write(entry.getKey(), out);
            out.writeByte(entry.getValue().length);
            for (long sum : entry.getValue()) {
                out.writeLong(sum);
            }
        }
    }

    static Map<Segment, long[]> readSums(DataInputDeserializer in) throws IOException {
        int size = in.readInt();
        Map<Segment, long[]> sums = new HashMap<>(2 * size);
        for (int i = 0; i < size; i++) {
            Segment segment = read(in);
            long[] each = new long[in.readByte()];
            for (int k = 0; k < each.length; k++) {
                each[k] = in.readLong();
            }
            sums.put(segment, each);
        }
        return sums;
    }
}
