package ctr.ingest;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.SchemaCompatibility;
import org.apache.flink.avro.shaded.org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.flink.types.Row;

/**
 * Tells how to read the records of one writer schema: a reader per field, which either puts it into its slot
 * of the {@link Event} or skips it. An unusable schema has a {@link #problem} and no readers.
 */
final class DecodePlan {

    private interface FieldReader {
        void read(AvroCursor in, Event out) throws MalformedException;
    }

    private interface NumberReader {
        long read(AvroCursor in) throws MalformedException;
    }

    private interface RawFieldReader {
        void read(AvroCursor in, Row out) throws MalformedException;
    }

    /** The contract's: values that are nested deeper make a record malformed. */
    static final int MAX_DEPTH = 64;

    private static final String TIMESTAMP = "timestamp";
    private static final String CLICK = "click";
    private static final String ID = "id";

    /** Why no record of this schema can be read; null for a usable one. */
    final String problem;

    private final FieldReader[] fieldReaders;
    private final RawFieldReader[] rawFieldReaders;

    private DecodePlan(String problem, FieldReader[] fieldReaders, RawFieldReader[] rawFieldReaders) {
        this.problem = problem;
        this.fieldReaders = fieldReaders;
        this.rawFieldReaders = rawFieldReaders;
    }

    static DecodePlan unusable(String problem) {
        return new DecodePlan(problem, new FieldReader[0], new RawFieldReader[0]);
    }

    /** Fill the slots of {@code out} from a record that must end where its last field ends. */
    void read(AvroCursor in, Event out) throws MalformedException {
        for (FieldReader each : fieldReaders) {
            each.read(in, out);
        }
        if (in.remaining() != 0) {
            throw MalformedException.BYTES_LEFT_OVER;
        }
    }

    /** Fill a row with {@link RawEvents#FIELDS}, from a record that {@link #read} has read. */
    void readRaw(AvroCursor in, Row out) throws MalformedException {
        for (RawFieldReader each : rawFieldReaders) {
            each.read(in, out);
        }
    }

    /** Builds plans for one set of dimensions and measures. */
    static final class Compiler implements Serializable {

        private static final long serialVersionUID = 1L;

        private final String readerJson;
        private final List<IngestSettings.Dimension> dimensions;
        private final List<String> measures;
        private final boolean rawEvents;
        private transient Schema reader;
        private transient StringDictionary strings;

        Compiler(IngestSettings settings) {
            readerJson = settings.readerSchema;
            dimensions = settings.dimensions;
            measures = settings.measures.stream().map(measure -> measure.field).toList();
            rawEvents = settings.rawEventsPercent > 0;
        }

        /** Returns the plan for records written with {@code writerJson}, which refers to no other schema; never null. */
        DecodePlan compile(String writerJson) {
            return compile(writerJson, List.of());
        }

        /**
         * Returns the plan for records written with {@code writerJson}; never null.
         *
         * @param referenced the schemas that it refers to, each behind those that it refers to itself
         */
        DecodePlan compile(String writerJson, List<String> referenced) {
            if (reader == null) {
                reader = new Schema.Parser().parse(readerJson);
                strings = new StringDictionary();
            }
            Schema writer;
            try {
                // The registry has accepted names and defaults already.
                Schema.Parser parser = new Schema.Parser().setValidate(false).setValidateDefaults(false);
                referenced.forEach(parser::parse);
                writer = parser.parse(writerJson);
            } catch (RuntimeException | StackOverflowError notAvro) {
                return unusable("its schema is not Avro: " + notAvro.getMessage());
            }
            if (writer.getType() != Schema.Type.RECORD) {
                return unusable("its schema is no record");
            }
            String missing = firstMissing(writer);
            if (missing != null) {
                return unusable("its schema has no usable field '" + missing + "'");
            }
            List<FieldReader> fieldReaders = new ArrayList<>();
            for (Schema.Field field : writer.getFields()) {
                fieldReaders.add(fieldReader(field));
            }
            addDefaults(writer, fieldReaders);
            Stream<RawFieldReader> rawFieldReaders =
                    rawEvents ? writer.getFields().stream().map(this::rawFieldReader) : Stream.empty();
            return new DecodePlan(null, fieldReaders.toArray(new FieldReader[0]), rawFieldReaders.toArray(RawFieldReader[]::new));
        }

        /** The first field that the reader needs and the writer lacks, or has in a type that is not readable as its own. */
        private String firstMissing(Schema writer) {
            for (Schema.Field needed : reader.getFields()) {
                Schema.Field written = writer.getField(needed.name());
                if (needed.hasDefaultValue() && (written == null || !isRead(needed.name()))) {
                    continue;
                }
                if (written == null || !isReadableAs(written.schema(), needed.schema())) {
                    return needed.name();
                }
            }
            return null;
        }

        private boolean isRead(String name) {
            return measures.contains(name) || dimensions.stream().anyMatch(dimension -> dimension.field.equals(name));
        }

        /** A dimension or measure that the writer lacks has the reader's default. */
        private void addDefaults(Schema writer, List<FieldReader> fieldReaders) {
            for (int i = 0; i < dimensions.size(); i++) {
                IngestSettings.Dimension dimension = dimensions.get(i);
                if (writer.getField(dimension.field) == null) {
                    int slot = i;
                    Object fallback = reader.getField(dimension.field).defaultVal();
                    Object value = dimension.type.equals("string") ? StringDictionary.normalForm((String) fallback) : fallback;
                    fieldReaders.add((in, out) -> out.dimensions[slot] = value);
                }
            }
            for (int i = 0; i < measures.size(); i++) {
                if (writer.getField(measures.get(i)) == null) {
                    int slot = i;
                    long value = ((Number) reader.getField(measures.get(i)).defaultVal()).longValue();
                    fieldReaders.add((in, out) -> out.measures[slot] = value);
                }
            }
        }

        private static boolean isReadableAs(Schema written, Schema needed) {
            Schema value = needed.getType() == Schema.Type.STRING ? withoutNull(written) : written;
            return value.getType() != Schema.Type.UNION
                    && SchemaCompatibility.checkReaderWriterCompatibility(needed, value).getType()
                            == SchemaCompatibilityType.COMPATIBLE;
        }

        /** The one other branch of a union with null, else the schema itself. */
        private static Schema withoutNull(Schema schema) {
            if (schema.getType() != Schema.Type.UNION || schema.getTypes().size() != 2) {
                return schema;
            }
            List<Schema> types = schema.getTypes();
            if (types.get(0).getType() == Schema.Type.NULL) {
                return types.get(1);
            }
            return types.get(1).getType() == Schema.Type.NULL ? types.get(0) : schema;
        }

        private FieldReader fieldReader(Schema.Field field) {
            String name = field.name();
            for (int i = 0; i < dimensions.size(); i++) {
                if (dimensions.get(i).field.equals(name)) {
                    int slot = i;
                    return dimensions.get(i).type.equals("string")
                            ? interned(field.schema(), slot)
                            : (in, out) -> out.dimensions[slot] = in.readInt();
                }
            }
            NumberReader number = numberReader(field.schema());
            if (name.equals(TIMESTAMP)) {
                return (in, out) -> out.timestampMs = number.read(in);
            }
            if (name.equals(ID) && rawEvents) {
                return id(field.schema());
            }
            int sum = measures.indexOf(name);
            if (name.equals(CLICK)) {
                return sum < 0
                        ? (in, out) -> out.click = number.read(in)
                        : (in, out) -> out.measures[sum] = out.click = number.read(in);
            }
            return sum < 0 ? skip(field.schema()) : (in, out) -> out.measures[sum] = number.read(in);
        }

        /** A written int must fit its type, whatever it is read as. */
        private static NumberReader numberReader(Schema schema) {
            return schema.getType() == Schema.Type.INT ? AvroCursor::readInt : AvroCursor::readLong;
        }

        private FieldReader interned(Schema schema, int slot) {
            FieldReader value = (in, out) -> {
                int length = in.readLength();
                out.dimensions[slot] = strings.intern(in.bytes(), in.position(), length);
                in.skip(length);
            };
            int nullBranch = nullBranch(schema);
            if (nullBranch < 0) {
                return value;
            }
            return (in, out) -> {
                if (in.readIndex(2) == nullBranch) {
                    out.dimensions[slot] = StringDictionary.UNKNOWN;
                } else {
                    value.read(in, out);
                }
            };
        }

        /** Note where the id's bytes are. */
        private static FieldReader id(Schema schema) {
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

        /** Makes the reader of a field for whole events: one of {@link RawEvents#FIELDS} is kept, any other skipped. */
        private RawFieldReader rawFieldReader(Schema.Field field) {
            int slot = RawEvents.FIELDS.indexOf(field.name());
            if (slot < 0) {
                FieldReader skip = skip(field.schema());
                return (in, out) -> skip.read(in, null);
            }
            switch (reader.getField(field.name()).schema().getType()) {
                case INT:
                    return (in, out) -> out.setField(slot, in.readInt());
                case LONG:
                    NumberReader number = numberReader(field.schema());
                    return (in, out) -> out.setField(slot, number.read(in));
                default:
                    boolean dimension = dimensions.stream().anyMatch(each -> each.field.equals(field.name()));
                    int nullBranch = nullBranch(field.schema());
                    return (in, out) -> {
                        if (nullBranch >= 0 && in.readIndex(2) == nullBranch) {
                            out.setField(slot, dimension ? StringDictionary.UNKNOWN : "");
                            return;
                        }
                        int length = in.readLength();
                        String text = RawEvents.text(in.bytes(), in.position(), length);
                        out.setField(slot, dimension ? StringDictionary.normalForm(text) : slot == RawEvents.ID ? RawEvents.key(text) : text);
                        in.skip(length);
                    };
            }
        }

        /** Which branch of a union with null is the null one; -1: the schema is no union. */
        private static int nullBranch(Schema schema) {
            if (schema.getType() != Schema.Type.UNION) {
                return -1;
            }
            return schema.getTypes().get(0).getType() == Schema.Type.NULL ? 0 : 1;
        }

        private static FieldReader skip(Schema schema) {
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
}
