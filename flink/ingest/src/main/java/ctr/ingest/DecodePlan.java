package ctr.ingest;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.avro.shaded.org.apache.avro.JsonProperties;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.SchemaCompatibility;
import org.apache.flink.avro.shaded.org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.flink.types.Row;

/**
 * Tells how to read the records of one writer schema: a reader per field, which either puts it into its slot
 * of the {@link Event} or skips it. An unusable schema has a {@link #problem} and no readers.
 */
final class DecodePlan {

    /** Why no record of this schema can be read; null for a usable one. */
    final String problem;

    private final FieldReaders.FieldReader[] fieldReaders;
    private final KeptReaders keptReaders;

    private DecodePlan(String problem, FieldReaders.FieldReader[] fieldReaders, KeptReaders keptReaders) {
        this.problem = problem;
        this.fieldReaders = fieldReaders;
        this.keptReaders = keptReaders;
    }

    static DecodePlan unusable(String problem) {
        return new DecodePlan(problem, new FieldReaders.FieldReader[0], KeptReaders.NONE);
    }

    /** Fill the slots of {@code out} from a record that must end where its last field ends. */
    void read(AvroCursor in, Event out) throws MalformedException {
        for (FieldReaders.FieldReader each : fieldReaders) {
            each.read(in, out);
        }
        if (in.remaining() != 0) {
            throw MalformedException.BYTES_LEFT_OVER;
        }
    }

    /** Fill a row with the fields that raw events keep, from a record that {@link #read} has read. */
    void readKept(AvroCursor in, Row out) throws MalformedException {
        keptReaders.read(in, out);
    }

    /** Whether a written value can be read as one of a declared type; a text may be missing. */
    static boolean isReadableAs(Schema written, Schema declared) {
        Schema needed = FieldReaders.withoutNull(declared);
        boolean text = needed.getType() == Schema.Type.STRING || needed.getType() == Schema.Type.ENUM;
        Schema value = text ? FieldReaders.withoutNull(written) : written;
        if (needed.getType() == Schema.Type.ENUM) {
            return value.getType() == Schema.Type.ENUM && needed.getEnumSymbols().containsAll(value.getEnumSymbols());
        }
        return value.getType() != Schema.Type.UNION
                && SchemaCompatibility.checkReaderWriterCompatibility(needed, value).getType()
                        == SchemaCompatibilityType.COMPATIBLE;
    }

    /** Builds plans for one stream: its event's fields, dimensions and measures. */
    static final class Compiler implements Serializable {

        private static final long serialVersionUID = 1L;

        private final String readerJson;
        private final IngestSettings.EventFields event;
        private final List<IngestSettings.Dimension> dimensions;

        /** Fields whose values are summed; the first are the clicks. */
        private final List<String> measures;

        private final boolean rawEvents;
        private final List<IngestSettings.Kept> kept;
        private transient Schema reader;
        private transient List<StringDictionary> strings;

        Compiler(IngestSettings settings) {
            readerJson = settings.readerSchema;
            event = settings.event;
            dimensions = settings.dimensions;
            measures = settings.measures.stream().map(measure -> measure.field).toList();
            rawEvents = settings.rawEventsPercent > 0;
            kept = rawEvents ? settings.kept : List.of();
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
                strings = dimensions.stream().map(each -> new StringDictionary(each.blank)).toList();
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
            List<FieldReaders.FieldReader> fieldReaders = new ArrayList<>();
            for (Schema.Field field : writer.getFields()) {
                fieldReaders.add(fieldReader(field));
            }
            addDefaults(writer, fieldReaders);
            KeptReaders keptReaders = KeptReaders.of(writer, reader, kept, RawEvents.firstKept(dimensions));
            return new DecodePlan(null, fieldReaders.toArray(new FieldReaders.FieldReader[0]), keptReaders);
        }

        /** The first field that the reader needs and the writer lacks, or has in a type that is not readable as its own. */
        private String firstMissing(Schema writer) {
            for (Schema.Field needed : reader.getFields()) {
                Schema.Field written = writer.getField(needed.name());
                boolean always = needed.name().equals(event.time) || needed.name().equals(event.click);
                if (!always && needed.hasDefaultValue() && (written == null || !isRead(needed.name()))) {
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
        private void addDefaults(Schema writer, List<FieldReaders.FieldReader> fieldReaders) {
            for (int i = 0; i < dimensions.size(); i++) {
                IngestSettings.Dimension dimension = dimensions.get(i);
                if (writer.getField(dimension.field) == null) {
                    int slot = i;
                    Object fallback = reader.getField(dimension.field).defaultVal();
                    Object value = dimension.isText() ? defaultText(fallback, strings.get(i)) : fallback;
                    fieldReaders.add((in, out) -> out.dimensions[slot] = value);
                }
            }
            for (int i = 1; i < measures.size(); i++) {
                if (writer.getField(measures.get(i)) == null) {
                    int slot = i;
                    long value = ((Number) reader.getField(measures.get(i)).defaultVal()).longValue();
                    fieldReaders.add((in, out) -> out.measures[slot] = value);
                }
            }
            if (rawEvents && !isId(writer.getField(event.id))) {
                fieldReaders.add((in, out) -> out.idLength = -1);
            }
        }

        private static String defaultText(Object fallback, StringDictionary strings) {
            return fallback == JsonProperties.NULL_VALUE ? strings.blank() : strings.normalForm(fallback.toString());
        }

        /** An id that has a default may be missing, or be of any type, like every field that is not counted. */
        private boolean isId(Schema.Field written) {
            return written != null && isReadableAs(written.schema(), reader.getField(event.id).schema());
        }

        private FieldReaders.FieldReader fieldReader(Schema.Field field) {
            String name = field.name();
            Schema schema = field.schema();
            List<FieldReaders.FieldReader> uses = new ArrayList<>();
            for (int i = 0; i < dimensions.size(); i++) {
                if (dimensions.get(i).field.equals(name)) {
                    int slot = i;
                    uses.add(dimensions.get(i).isText()
                            ? FieldReaders.text(schema, slot, strings.get(i))
                            : (in, out) -> out.dimensions[slot] = in.readInt());
                }
            }
            for (int i = 1; i < measures.size(); i++) {
                if (measures.get(i).equals(name)) {
                    int slot = i;
                    FieldReaders.NumberReader number = FieldReaders.number(schema);
                    uses.add((in, out) -> out.measures[slot] = number.read(in));
                }
            }
            if (name.equals(event.time)) {
                uses.add(FieldReaders.time(schema, event.timeUnit));
            }
            if (name.equals(event.click)) {
                uses.add(FieldReaders.click(schema, event.clickEquals));
            }
            if (rawEvents && name.equals(event.id) && isId(field)) {
                uses.add(FieldReaders.id(schema));
            }
            return switch (uses.size()) {
                case 0 -> FieldReaders.skip(schema);
                case 1 -> uses.get(0);
                default -> FieldReaders.all(uses);
            };
        }
    }
}
