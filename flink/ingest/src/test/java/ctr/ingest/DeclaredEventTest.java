package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.Test;

/** An event of other names and types than the shipped stream's is read as it is declared. */
class DeclaredEventTest {

    private static final String KIND = "{\"type\": \"enum\", \"name\": \"Kind\", \"symbols\": [\"VIEW\", \"CLICK\", \"BUY\"]}";

    /** In place of a stream's own declaration; the dimensions are added to it. */
    private static IngestSettings settings(String schema, String timeUnit, String click, String equals) {
        IngestSettings settings = Samples.settings();
        settings.readerSchema = schema;
        settings.event.id = "key";
        settings.event.time = "at";
        settings.event.timeUnit = timeUnit;
        settings.event.click = click;
        settings.event.clickEquals = equals;
        settings.dimensions = new ArrayList<>();
        settings.measures = new ArrayList<>();
        settings.measures.add(measure(click, "clicks"));
        settings.measures.add(measure("cost", "cost"));
        return settings;
    }

    private static IngestSettings.Measure measure(String field, String column) {
        IngestSettings.Measure measure = new IngestSettings.Measure();
        measure.field = field;
        measure.column = column;
        return measure;
    }

    private static void count(IngestSettings settings, String field, String type) {
        IngestSettings.Dimension dimension = new IngestSettings.Dimension();
        dimension.field = field;
        dimension.column = field;
        dimension.type = type;
        dimension.blank = "none";
        settings.dimensions.add(dimension);
    }

    private static String schema(String kind, String... more) {
        List<String> fields = new ArrayList<>(List.of(
                field("key", "\"string\""), field("at", "\"long\""), field("kind", kind),
                "{\"name\": \"cost\", \"type\": \"long\", \"default\": 5}"));
        fields.addAll(List.of(more));
        return "{\"type\": \"record\", \"name\": \"E\", \"fields\": [" + String.join(", ", fields) + "]}";
    }

    private static String field(String name, String type) {
        return "{\"name\": \"" + name + "\", \"type\": " + type + "}";
    }

    private static Event read(IngestSettings settings, String writer, Map<String, Object> values) throws MalformedException {
        Schema schema = new Schema.Parser().parse(writer);
        GenericRecord event = new GenericData.Record(schema);
        event.put("key", "k");
        event.put("at", 1L);
        if (schema.getField("cost") != null) {
            event.put("cost", 7L);
        }
        values.forEach((name, value) -> {
            Schema type = FieldReaders.withoutNull(schema.getField(name).schema());
            event.put(name, value != null && type.getType() == Schema.Type.ENUM
                    ? new GenericData.EnumSymbol(type, value)
                    : value);
        });
        DecodePlan plan = new DecodePlan.Compiler(settings).compile(writer);
        assertNull(plan.problem);
        AvroCursor cursor = new AvroCursor();
        cursor.reset(Samples.encode(event), 0);
        Event out = new Event(settings.dimensions.size(), settings.measures.size());
        plan.read(cursor, out);
        return out;
    }

    @Test
    void timesAreTakenInTheirUnit() throws MalformedException {
        String schema = schema("\"boolean\"");
        Map<Long, Long> ofSeconds = Map.of(
                1_700_000_000L, 1_700_000_000_000L, -1L, -1_000L, Long.MAX_VALUE, Long.MAX_VALUE / 1000 * 1000);
        for (Map.Entry<Long, Long> each : ofSeconds.entrySet()) {
            Event event = read(settings(schema, "s", "kind", null), schema, Map.of("kind", true, "at", each.getKey()));
            assertEquals(each.getValue(), event.timestampMs);
        }
        Map<Long, Long> ofMicros = Map.of(1_700_000_000_000_999L, 1_700_000_000_000L, -1L, -1L);
        for (Map.Entry<Long, Long> each : ofMicros.entrySet()) {
            Event event = read(settings(schema, "us", "kind", null), schema, Map.of("kind", true, "at", each.getKey()));
            assertEquals(each.getValue(), event.timestampMs, "a moment belongs to the window that it is in");
        }
    }

    @Test
    void aClickIsABooleanANumberOrAValue() throws MalformedException {
        for (boolean clicked : new boolean[] {true, false}) {
            long clicks = clicked ? 1 : 0;
            String bool = schema("\"boolean\"");
            assertClicks(clicks, settings(bool, "ms", "kind", null), bool, clicked);
            String number = schema("\"int\"");
            assertClicks(clicks, settings(number, "ms", "kind", null), number, (int) clicks);
            for (String text : List.of("\"string\"", "[\"null\", \"string\"]", "[\"string\", \"null\"]", KIND, "[\"null\", " + KIND + "]")) {
                String schema = schema(text);
                assertClicks(clicks, settings(schema, "ms", "kind", "CLICK"), schema, clicked ? "CLICK" : "VIEW");
            }
        }
        String nullable = schema("[\"null\", \"string\"]");
        Event missing = read(settings(nullable, "ms", "kind", "CLICK"), nullable, java.util.Collections.singletonMap("kind", null));
        assertEquals(0, missing.click);
        String text = schema("\"string\"");
        for (String other : List.of("click", "CLICK ", "CLICKS", "")) {
            assertClicks(0, settings(text, "ms", "kind", "CLICK"), text, other);
        }
        // A number says what it says; the decoder rejects it.
        String number = schema("\"int\"");
        assertClicks(7, settings(number, "ms", "kind", null), number, 7);
    }

    private static void assertClicks(long clicks, IngestSettings settings, String schema, Object value) throws MalformedException {
        Event event = read(settings, schema, Map.of("kind", value));
        assertEquals(clicks, event.click);
        assertArrayEquals(new long[] {clicks, 7}, event.measures);
    }

    @Test
    void oneFieldMayBeClickAndDimensionAtOnce() throws MalformedException {
        String schema = schema(KIND, field("first", "\"boolean\""), field("place", "\"int\""));
        IngestSettings settings = settings(schema, "ms", "kind", "CLICK");
        count(settings, "kind", "enum");
        count(settings, "first", "boolean");
        count(settings, "cost", "int");
        settings.dimensions.remove(2);
        count(settings, "place", "int");
        Event event = read(settings, schema, Map.of("kind", "CLICK", "first", true, "place", 3));
        assertArrayEquals(new Object[] {"CLICK", "true", 3}, event.dimensions);
        assertArrayEquals(new long[] {1, 7}, event.measures);
        event = read(settings, schema, Map.of("kind", "BUY", "first", false, "place", -3));
        assertArrayEquals(new Object[] {"BUY", "false", -3}, event.dimensions);
        assertEquals(0, event.click);
    }

    @Test
    void aMissingTextIsBlankAndAMissingFieldHasItsDefault() throws MalformedException {
        String reader = schema(
                "\"boolean\"",
                "{\"name\": \"country\", \"type\": [\"null\", \"string\"], \"default\": null}",
                "{\"name\": \"colour\", \"type\": " + KIND.replace("Kind", "Colour") + ", \"default\": \"BUY\"}");
        IngestSettings settings = settings(reader, "ms", "kind", null);
        count(settings, "country", "string");
        count(settings, "colour", "enum");
        String writer = "{\"type\": \"record\", \"name\": \"E\", \"fields\": ["
                + field("kind", "\"boolean\"") + ", " + field("key", "\"string\"") + ", " + field("at", "\"long\"") + "]}";
        Event event = read(settings, writer, Map.of("kind", true));
        assertArrayEquals(new Object[] {"none", "BUY"}, event.dimensions);
        assertArrayEquals(new long[] {1, 5}, event.measures);
        Map<String, Object> nothing = new java.util.HashMap<>(Map.of("kind", true, "colour", "VIEW"));
        nothing.put("country", null);
        assertEquals("none", read(settings, reader, nothing).dimensions[0]);
        nothing.put("country", " ");
        assertEquals("none", read(settings, reader, nothing).dimensions[0]);
    }

    @Test
    void whatCannotBeReadAsDeclaredIsRejectedByName() {
        String reader = schema(KIND);
        IngestSettings settings = settings(reader, "ms", "kind", "CLICK");
        DecodePlan.Compiler compiler = new DecodePlan.Compiler(settings);
        String problem = "its schema has no usable field 'kind'";
        for (String other : List.of("\"string\"", "\"int\"", "\"boolean\"", "[\"null\", \"int\"]", KIND.replace("BUY", "SELL"))) {
            assertEquals(problem, compiler.compile(schema(other)).problem, other);
        }
        assertNull(compiler.compile(schema(KIND.replace(", \\\"BUY\\\"", ""))).problem, "fewer symbols are no trouble");
        // A click or a time that may be left out would be one that is made up.
        String lenient = schema("\"boolean\"").replace("\"type\": \"boolean\"", "\"type\": \"boolean\", \"default\": false");
        String without = schema("\"boolean\"").replace("\"name\": \"kind\"", "\"name\": \"other\"");
        assertEquals(problem, new DecodePlan.Compiler(settings(lenient, "ms", "kind", null)).compile(without).problem);
    }
}
