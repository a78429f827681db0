package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.Test;

/** What a plan reads, and which schemas it rejects. */
class DecodePlanTest {

    private static final List<String> NEEDED = List.of(
            "id", "click", "hour", "C1", "banner_pos", "site_id", "site_category", "device_type", "device_ip", "timestamp");

    private final DecodePlan.Compiler compiler = new DecodePlan.Compiler(Samples.settings());

    private static Event read(DecodePlan plan, byte[] avro) throws MalformedException {
        AvroCursor cursor = new AvroCursor();
        cursor.reset(avro, 0);
        Event event = new Event(2, 1);
        plan.read(cursor, event);
        return event;
    }

    private static String category(GenericRecord written) {
        Object category = written.get("site_category");
        return category == null ? "unknown" : new StringDictionary("unknown").normalForm(category.toString());
    }

    private static void assertReads(GenericRecord written, DecodePlan plan, boolean blocking) throws MalformedException {
        assertNull(plan.problem);
        Event event = read(plan, Samples.encode(written.getSchema(), written, blocking));
        assertEquals(category(written), event.dimensions[0]);
        assertEquals(written.get("device_type"), event.dimensions[1]);
        assertEquals(((Number) written.get("click")).longValue(), event.click);
        assertEquals(event.click, event.measures[0]);
        assertEquals(((Number) written.get("timestamp")).longValue(), event.timestampMs);
    }

    /** The reader's schema with one field changed; null leaves it out. */
    private static Schema changed(String name, UnaryOperator<Schema> change) {
        List<Schema.Field> fields = new ArrayList<>();
        for (Schema.Field field : Samples.readerSchema().getFields()) {
            Schema type = field.name().equals(name) ? change.apply(field.schema()) : field.schema();
            if (type != null) {
                fields.add(new Schema.Field(field.name(), type, null, field.name().equals(name) ? null : field.defaultVal()));
            }
        }
        return Schema.createRecord("AdEvent", null, "ctr", false, fields);
    }

    private String problem(Schema writer) {
        return compiler.compile(writer.toString()).problem;
    }

    @Test
    void recordsOfTheReadersSchemaAreRead() throws MalformedException {
        RandomAvro avro = new RandomAvro(1);
        DecodePlan plan = compiler.compile(Samples.settings().readerSchema);
        for (int i = 0; i < 1_000; i++) {
            assertReads(avro.event(Samples.readerSchema()), plan, false);
        }
    }

    @Test
    void recordsOfEvolvedSchemasAreRead() throws MalformedException {
        RandomAvro avro = new RandomAvro(2);
        for (int i = 0; i < 400; i++) {
            Schema writer = avro.evolved();
            DecodePlan plan = compiler.compile(writer.toString());
            for (int j = 0; j < 5; j++) {
                assertReads(avro.event(writer), plan, j % 2 == 0);
            }
        }
    }

    @Test
    void aNullableCategoryMayBeNull() throws MalformedException {
        for (int nullFirst = 0; nullFirst < 2; nullFirst++) {
            List<Schema> branches = new ArrayList<>(List.of(Schema.create(Schema.Type.STRING)));
            branches.add(nullFirst == 0 ? 0 : 1, Schema.create(Schema.Type.NULL));
            Schema writer = changed("site_category", type -> Schema.createUnion(branches));
            DecodePlan plan = compiler.compile(writer.toString());
            for (String category : new String[] {null, "news", " "}) {
                GenericRecord event = new RandomAvro(3).event(writer);
                event.put("site_category", category);
                assertReads(event, plan, false);
            }
        }
    }

    @Test
    void aProducerOfOnlyTheNeededFieldsIsValid() throws MalformedException {
        List<Schema.Field> fields = new ArrayList<>();
        NEEDED.forEach(name ->
                fields.add(new Schema.Field(name, Samples.readerSchema().getField(name).schema())));
        Schema writer = Schema.createRecord("Small", null, "other", false, fields);
        assertReads(new RandomAvro(4).event(writer), compiler.compile(writer.toString()), false);
    }

    @Test
    void aSchemaThatLacksANeededFieldIsRejectedByName() {
        for (Schema.Field field : Samples.readerSchema().getFields()) {
            String problem = problem(changed(field.name(), type -> null));
            if (NEEDED.contains(field.name())) {
                assertEquals("its schema has no usable field '" + field.name() + "'", problem);
            } else {
                assertNull(problem);
            }
        }
    }

    @Test
    void aNeededFieldOfAnotherTypeIsRejectedByName() {
        for (String name : NEEDED) {
            Schema.Type reader = Samples.readerSchema().getField(name).schema().getType();
            for (Schema.Type other : List.of(Schema.Type.BOOLEAN, Schema.Type.DOUBLE, Schema.Type.FLOAT)) {
                assertEquals(
                        "its schema has no usable field '" + name + "'", problem(changed(name, type -> Schema.create(other))));
            }
            if (reader != Schema.Type.STRING) {
                Schema nullable = Schema.createUnion(Schema.create(Schema.Type.NULL), Schema.create(reader));
                assertNotNull(problem(changed(name, type -> nullable)), "a number that may be missing is no number");
            }
            if (reader == Schema.Type.INT) {
                assertNotNull(problem(changed(name, type -> Schema.create(Schema.Type.LONG))));
            }
        }
        Schema many = Schema.createUnion(Schema.create(Schema.Type.STRING), Schema.create(Schema.Type.INT));
        assertNotNull(problem(changed("site_category", type -> many)));
    }

    @Test
    void aSchemaMayReferToOthers() throws MalformedException {
        String leaf = "{\"type\": \"enum\", \"name\": \"Kind\", \"namespace\": \"geo\", \"symbols\": [\"A\", \"B\", \"C\"]}";
        String place = "{\"type\": \"record\", \"name\": \"geo.Place\", \"fields\": [{\"name\": \"kind\", \"type\": \"Kind\"}]}";
        List<Schema.Field> fields = new ArrayList<>();
        Samples.readerSchema().getFields().forEach(each -> fields.add(new Schema.Field(each, each.schema())));
        Schema known = new Schema.Parser().parse(leaf);
        fields.add(new Schema.Field("place", Schema.createRecord("Place", null, "geo", false, List.of(new Schema.Field("kind", known)))));
        Schema whole = Schema.createRecord("AdEvent", null, "ctr", false, fields);
        String written = whole.toString().replaceAll("\\{\"name\":\"place\".*", "{\"name\":\"place\",\"type\":\"geo.Place\"}]}");
        assertTrue(compiler.compile(written).problem.startsWith("its schema is not Avro"), "without the others it means nothing");
        assertReads(new RandomAvro(6).event(whole), compiler.compile(written, List.of(leaf, place)), false);
    }

    @Test
    void aNumberMustFitTheTypeThatItIsWrittenIn() {
        for (String name : List.of("click", "hour", "device_type")) {
            Schema wide = changed(name, type -> Schema.create(Schema.Type.LONG));
            GenericRecord event = new RandomAvro(7).event(wide);
            event.put(name, 1L << 31);
            DecodePlan plan = compiler.compile(Samples.settings().readerSchema);
            assertThrows(MalformedException.class, () -> read(plan, Samples.encode(wide, event, false)), name);
        }
    }

    @Test
    void aSchemaThatIsNoRecordIsRejected() {
        assertEquals("its schema is no record", compiler.compile("\"string\"").problem);
        for (String nonsense : new String[] {"", "{", "[]x", "{\"type\": \"message\"}", "syntax = \"proto3\";"}) {
            assertTrue(compiler.compile(nonsense).problem.startsWith("its schema is not Avro"), nonsense);
        }
    }

    @Test
    void aDimensionOrMeasureThatTheWriterLacksHasItsDefault() throws MalformedException {
        IngestSettings settings = Samples.settings();
        settings.dimensions.add(dimension("app_category", "string"));
        settings.dimensions.add(dimension("device_conn_type", "int"));
        settings.measures.add(measure("C21"));
        Schema writer = changed("app_category", type -> null);
        writer = Schema.createRecord("AdEvent", null, "ctr", false, writer.getFields().stream()
                .filter(field -> !List.of("device_conn_type", "C21").contains(field.name()))
                .map(field -> new Schema.Field(field.name(), field.schema()))
                .toList());
        DecodePlan plan = new DecodePlan.Compiler(settings).compile(writer.toString());
        assertNull(plan.problem);
        AvroCursor cursor = new AvroCursor();
        cursor.reset(Samples.encode(new RandomAvro(5).event(writer)), 0);
        Event event = new Event(4, 2);
        event.dimensions[2] = "what the record before left here";
        event.measures[1] = 99;
        plan.read(cursor, event);
        assertEquals("unknown", event.dimensions[2], "the default is an empty string");
        assertEquals(0, event.dimensions[3]);
        assertEquals(0, event.measures[1]);
    }

    private static IngestSettings.Dimension dimension(String field, String type) {
        IngestSettings.Dimension dimension = new IngestSettings.Dimension();
        dimension.field = field;
        dimension.column = field;
        dimension.type = type;
        dimension.blank = "unknown";
        return dimension;
    }

    private static IngestSettings.Measure measure(String field) {
        IngestSettings.Measure measure = new IngestSettings.Measure();
        measure.field = field;
        measure.column = field;
        return measure;
    }
}
