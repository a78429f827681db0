package ctr.ingest;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;

/** Readers of single fields: each either puts its value into a slot of the {@link Event} or skips it. */
final class FieldReaders {

    interface FieldReader {
        void read(AvroCursor in, Event out) throws MalformedException;
    }

    interface NumberReader {
        long read(AvroCursor in) throws MalformedException;
    }

    /** The contract's: values that are nested deeper make a record malformed. */
    static final int MAX_DEPTH = 64;

    private static final long MAX_SECONDS = Long.MAX_VALUE / 1000;

    private FieldReaders() {}

    /** A field of several uses is read for each. */
    static FieldReader all(List<FieldReader> uses) {
        FieldReader[] each = uses.toArray(FieldReader[]::new);
        return (in, out) -> {
            int start = in.position();
            for (FieldReader use : each) {
                in.seek(start);
                use.read(in, out);
            }
        };
    }

    /** A written int must fit its type, whatever it is read as. */
    static NumberReader number(Schema schema) {
        return schema.getType() == Schema.Type.INT ? AvroCursor::readInt : AvroCursor::readLong;
    }

    /** The event's time, of which an instant beyond all times in ms stays beyond them. */
    static FieldReader time(Schema schema, String unit) {
        NumberReader number = number(schema);
        switch (unit) {
            case "s":
                return (in, out) -> out.timestampMs = Math.max(-MAX_SECONDS, Math.min(MAX_SECONDS, number.read(in))) * 1000;
            case "us":
                return (in, out) -> out.timestampMs = Math.floorDiv(number.read(in), 1000L);
            default:
                return (in, out) -> out.timestampMs = number.read(in);
        }
    }

    /** Whether the impression was clicked, into the event and its first sum. */
    static FieldReader click(Schema schema, String equals) {
        if (equals != null) {
            FieldReader text = textClick(withoutNull(schema), equals);
            int nullBranch = nullBranch(schema);
            return nullBranch < 0
                    ? text
                    : (in, out) -> {
                        if (in.readIndex(2) == nullBranch) {
                            out.measures[0] = out.click = 0;
                        } else {
                            text.read(in, out);
                        }
                    };
        }
        if (schema.getType() == Schema.Type.BOOLEAN) {
            return (in, out) -> out.measures[0] = out.click = in.readBoolean() ? 1 : 0;
        }
        NumberReader number = number(schema);
        return (in, out) -> out.measures[0] = out.click = number.read(in);
    }

    private static FieldReader textClick(Schema schema, String equals) {
        if (schema.getType() == Schema.Type.ENUM) {
            int symbols = schema.getEnumSymbols().size();
            int clicked = schema.getEnumSymbols().indexOf(equals);
            return (in, out) -> out.measures[0] = out.click = in.readIndex(symbols) == clicked ? 1 : 0;
        }
        byte[] clicked = equals.getBytes(StandardCharsets.UTF_8);
        return (in, out) -> {
            int length = in.readLength();
            int from = in.position();
            in.skip(length);
            boolean same = Arrays.equals(in.bytes(), from, from + length, clicked, 0, clicked.length);
            out.measures[0] = out.click = same ? 1 : 0;
        };
    }

    /** A dimension of texts. */
    static FieldReader text(Schema schema, int slot, StringDictionary strings) {
        FieldReader value = present(withoutNull(schema), slot, strings);
        int nullBranch = nullBranch(schema);
        if (nullBranch < 0) {
            return value;
        }
        return (in, out) -> {
            if (in.readIndex(2) == nullBranch) {
                out.dimensions[slot] = strings.blank();
            } else {
                value.read(in, out);
            }
        };
    }

    private static FieldReader present(Schema schema, int slot, StringDictionary strings) {
        switch (schema.getType()) {
            case BOOLEAN:
                return (in, out) -> out.dimensions[slot] = in.readBoolean() ? "true" : "false";
            case ENUM:
                String[] symbols =
                        schema.getEnumSymbols().stream().map(strings::normalForm).toArray(String[]::new);
                return (in, out) -> out.dimensions[slot] = symbols[in.readIndex(symbols.length)];
            default:
                return (in, out) -> {
                    int length = in.readLength();
                    out.dimensions[slot] = strings.intern(in.bytes(), in.position(), length);
                    in.skip(length);
                };
        }
    }

    /** Note where the id's bytes are. */
    static FieldReader id(Schema schema) {
        int nullBranch = nullBranch(schema);
        return (in, out) -> {
            if (nullBranch >= 0 && in.readIndex(2) == nullBranch) {
                out.idLength = -1;
                return;
            }
            out.idLength = in.readLength();
            out.idPosition = in.position();
            in.skip(out.idLength);
        };
    }

    /** The one other branch of a union with null, else the schema itself. */
    static Schema withoutNull(Schema schema) {
        if (schema.getType() != Schema.Type.UNION || schema.getTypes().size() != 2) {
            return schema;
        }
        List<Schema> types = schema.getTypes();
        if (types.get(0).getType() == Schema.Type.NULL) {
            return types.get(1);
        }
        return types.get(1).getType() == Schema.Type.NULL ? types.get(0) : schema;
    }

    /** Which branch of a union with null is the null one; -1: the schema is no union. */
    static int nullBranch(Schema schema) {
        if (schema.getType() != Schema.Type.UNION) {
            return -1;
        }
        return schema.getTypes().get(0).getType() == Schema.Type.NULL ? 0 : 1;
    }

    static FieldReader skip(Schema schema) {
        switch (schema.getType()) {
            case NULL:
                return (in, out) -> {};
            case BOOLEAN:
                return (in, out) -> in.skip(1);
            case INT:
                return (in, out) -> in.readInt();
            case LONG:
                return (in, out) -> in.readLong();
            case FLOAT:
                return (in, out) -> in.skip(Float.BYTES);
            case DOUBLE:
                return (in, out) -> in.skip(Double.BYTES);
            case STRING:
            case BYTES:
                return (in, out) -> in.skipLengthPrefixed();
            case FIXED:
                int size = schema.getFixedSize();
                return (in, out) -> in.skip(size);
            case ENUM:
                int symbols = schema.getEnumSymbols().size();
                return (in, out) -> in.readIndex(symbols);
            default:
                return (in, out) -> skipNested(schema, in, 0);
        }
    }

    /**
     * Containers are rare in ad events: walked by schema, so that a recursive one is no trouble.
     *
     * @param depth how many records, arrays and maps are around the value, the event itself not counted
     */
    private static void skipNested(Schema schema, AvroCursor in, int depth) throws MalformedException {
        switch (schema.getType()) {
            case UNION:
                skipNested(schema.getTypes().get(in.readIndex(schema.getTypes().size())), in, depth);
                break;
            case RECORD:
                int inRecord = deeper(depth);
                for (Schema.Field field : schema.getFields()) {
                    skipNested(field.schema(), in, inRecord);
                }
                break;
            case ARRAY:
                int inArray = deeper(depth);
                for (long count = in.readBlock(); count > 0; count = in.readBlock()) {
                    int end = in.blockEnd();
                    int before = -1;
                    // An item that takes no bytes is of a type that never does: the others take none either.
                    for (long left = count; left > 0 && in.position() != before; left--) {
                        before = in.position();
                        skipNested(schema.getElementType(), in, inArray);
                    }
                    in.endBlock(end);
                }
                break;
            case MAP:
                int inMap = deeper(depth);
                for (long count = in.readBlock(); count > 0; count = in.readBlock()) {
                    int end = in.blockEnd();
                    for (long left = count; left > 0; left--) {
                        in.skipLengthPrefixed();
                        skipNested(schema.getValueType(), in, inMap);
                    }
                    in.endBlock(end);
                }
                break;
            default:
                skip(schema).read(in, null);
        }
    }

    private static int deeper(int depth) throws MalformedException {
        if (depth >= MAX_DEPTH) {
            throw MalformedException.TOO_DEEP;
        }
        return depth + 1;
    }
}
