package ctr.front;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.SchemaCompatibility;
import org.apache.flink.avro.shaded.org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.flink.types.Row;

/**
 * How to read the records of one writer schema: a step per field, which either puts it into its slot
 * of the {@link Event} or skips it. A schema that cannot serve has a {@link #problem} and no steps.
 */
final class WriterPlan {

    private interface Step {
        void run(AvroCursor in, Event out) throws MalformedException;
    }

    private interface RawStep {
        void run(AvroCursor in, Row out) throws MalformedException;
    }

    private static final String TIMESTAMP = "timestamp";
    private static final String CLICK = "click";
    private static final String ID = "id";

    /** Why no record of this schema can be read; null for a usable one. */
    final String problem;

    private final Step[] steps;
    private final RawStep[] rawSteps;

    private WriterPlan(String problem, Step[] steps, RawStep[] rawSteps) {
        this.problem = problem;
        this.steps = steps;
        this.rawSteps = rawSteps;
    }

    static WriterPlan unusable(String problem) {
        return new WriterPlan(problem, new Step[0], new RawStep[0]);
    }

    /** Fill the slots of {@code out} from a record that must end where its last field ends. */
    void read(AvroCursor in, Event out) throws MalformedException {
        try {
            for (Step step : steps) {
                step.run(in, out);
            }
        } catch (StackOverflowError tooDeep) {
            throw MalformedException.TOO_DEEP;
        }
        if (in.remaining() != 0) {
            throw MalformedException.BYTES_LEFT_OVER;
        }
    }

    /** Fill a row with {@link RawEvents#FIELDS}, from a record that {@link #read} has read. */
    void readRaw(AvroCursor in, Row out) throws MalformedException {
        for (RawStep step : rawSteps) {
            step.run(in, out);
        }
    }

    /** Builds plans for one set of dimensions and measures. */
    static final class Compiler implements Serializable {

        private static final long serialVersionUID = 1L;

        private final String readerJson;
        private final List<FrontSettings.Dimension> dimensions;
        private final List<String> measures;
        private final boolean rawEvents;
        private transient Schema reader;
        private transient Categories categories;

        Compiler(FrontSettings settings) {
            readerJson = settings.readerSchema;
            dimensions = settings.dimensions;
            measures = settings.measures.stream().map(measure -> measure.field).toList();
            rawEvents = settings.rawEventsPercent > 0;
        }

        /** The plan for records written with {@code writerJson}; never null. */
        WriterPlan compile(String writerJson) {
            if (reader == null) {
                reader = new Schema.Parser().parse(readerJson);
                categories = new Categories();
            }
            Schema writer;
            try {
                writer = new Schema.Parser().parse(writerJson);
            } catch (RuntimeException notAvro) {
                return unusable("its schema is not Avro: " + notAvro.getMessage());
            }
            if (writer.getType() != Schema.Type.RECORD) {
                return unusable("its schema is no record");
            }
            String missing = firstMissing(writer);
            if (missing != null) {
                return unusable("its schema has no usable field '" + missing + "'");
            }
            List<Step> steps = new ArrayList<>();
            for (Schema.Field field : writer.getFields()) {
                steps.add(step(field));
            }
            addDefaults(writer, steps);
            Stream<RawStep> rawSteps = rawEvents ? writer.getFields().stream().map(this::rawStep) : Stream.empty();
            return new WriterPlan(null, steps.toArray(new Step[0]), rawSteps.toArray(RawStep[]::new));
        }

        /** The first field that the reader needs and the writer lacks, or has in a type that cannot serve. */
        private String firstMissing(Schema writer) {
            for (Schema.Field needed : reader.getFields()) {
                Schema.Field written = writer.getField(needed.name());
                if (needed.hasDefaultValue() && (written == null || !isRead(needed.name()))) {
                    continue;
                }
                if (written == null || !serves(written.schema(), needed.schema())) {
                    return needed.name();
                }
            }
            return null;
        }

        private boolean isRead(String name) {
            return measures.contains(name) || dimensions.stream().anyMatch(dimension -> dimension.field.equals(name));
        }

        /** A dimension or measure that the writer lacks has the reader's default. */
        private void addDefaults(Schema writer, List<Step> steps) {
            for (int i = 0; i < dimensions.size(); i++) {
                FrontSettings.Dimension dimension = dimensions.get(i);
                if (writer.getField(dimension.field) == null) {
                    int slot = i;
                    Object standard = reader.getField(dimension.field).defaultVal();
                    Object value = dimension.type.equals("string") ? Categories.normalForm((String) standard) : standard;
                    steps.add((in, out) -> out.dimensions[slot] = value);
                }
            }
            for (int i = 0; i < measures.size(); i++) {
                if (writer.getField(measures.get(i)) == null) {
                    int slot = i;
                    long value = ((Number) reader.getField(measures.get(i)).defaultVal()).longValue();
                    steps.add((in, out) -> out.measures[slot] = value);
                }
            }
        }

        private static boolean serves(Schema written, Schema needed) {
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

        private Step step(Schema.Field field) {
            String name = field.name();
            for (int i = 0; i < dimensions.size(); i++) {
                if (dimensions.get(i).field.equals(name)) {
                    int slot = i;
                    return dimensions.get(i).type.equals("string")
                            ? category(field.schema(), slot)
                            : (in, out) -> out.dimensions[slot] = in.readInt();
                }
            }
            if (name.equals(TIMESTAMP)) {
                return (in, out) -> out.timestampMs = in.readLong();
            }
            if (name.equals(ID) && rawEvents) {
                return id(field.schema());
            }
            int sum = measures.indexOf(name);
            if (name.equals(CLICK)) {
                return sum < 0
                        ? (in, out) -> out.click = in.readLong()
                        : (in, out) -> out.measures[sum] = out.click = in.readLong();
            }
            return sum < 0 ? skip(field.schema()) : (in, out) -> out.measures[sum] = in.readLong();
        }

        private Step category(Schema schema, int slot) {
            Step read = (in, out) -> {
                int length = in.readLength();
                out.dimensions[slot] = categories.of(in.bytes(), in.position(), length);
                in.skip(length);
            };
            int nullBranch = nullBranch(schema);
            if (nullBranch < 0) {
                return read;
            }
            return (in, out) -> {
                if (in.readIndex(2) == nullBranch) {
                    out.dimensions[slot] = Categories.UNKNOWN;
                } else {
                    read.run(in, out);
                }
            };
        }

        /** Note where the id's bytes are. */
        private static Step id(Schema schema) {
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

        /** A step of the plan for whole events: a field of {@link RawEvents#FIELDS} is kept, any other skipped. */
        private RawStep rawStep(Schema.Field field) {
            int slot = RawEvents.FIELDS.indexOf(field.name());
            if (slot < 0) {
                Step skip = skip(field.schema());
                return (in, out) -> skip.run(in, null);
            }
            switch (reader.getField(field.name()).schema().getType()) {
                case INT:
                    return (in, out) -> out.setField(slot, in.readInt());
                case LONG:
                    return (in, out) -> out.setField(slot, in.readLong());
                default:
                    boolean category = dimensions.stream().anyMatch(each -> each.field.equals(field.name()));
                    int nullBranch = nullBranch(field.schema());
                    return (in, out) -> {
                        if (nullBranch >= 0 && in.readIndex(2) == nullBranch) {
                            out.setField(slot, category ? Categories.UNKNOWN : "");
                            return;
                        }
                        int length = in.readLength();
                        String text = RawEvents.text(in.bytes(), in.position(), length);
                        out.setField(slot, category ? Categories.normalForm(text) : text);
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

        private static Step skip(Schema schema) {
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
                    return (in, out) -> skipNested(schema, in);
            }
        }

        /** Containers are rare in ad events: walked by schema, so that a recursive one is no trouble. */
        private static void skipNested(Schema schema, AvroCursor in) throws MalformedException {
            switch (schema.getType()) {
                case UNION:
                    skipNested(schema.getTypes().get(in.readIndex(schema.getTypes().size())), in);
                    break;
                case RECORD:
                    for (Schema.Field field : schema.getFields()) {
                        skipNested(field.schema(), in);
                    }
                    break;
                case ARRAY:
                    for (long count = in.readBlock(); count > 0; count = in.readBlock()) {
                        int before = -1;
                        // An item that takes no bytes is of a type that never does: the others take none either.
                        for (long left = count; left > 0 && in.position() != before; left--) {
                            before = in.position();
                            skipNested(schema.getElementType(), in);
                        }
                    }
                    break;
                case MAP:
                    for (long count = in.readBlock(); count > 0; count = in.readBlock()) {
                        for (long left = count; left > 0; left--) {
                            in.skipLengthPrefixed();
                            skipNested(schema.getValueType(), in);
                        }
                    }
                    break;
                default:
                    skip(schema).run(in, null);
            }
        }
    }
}
