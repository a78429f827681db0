package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

/** Rows of the table, of the shipped and of another event; ids as keys, of a length that Postgres can index. */
class RawEventsTest {

    private static final String SHOP = "{'type': 'record', 'name': 'E', 'fields': [{'name': 'bid', 'type': 'long'},"
            + " {'name': 'first', 'type': 'boolean'}, {'name': 'at', 'type': 'long'}, {'name': 'bought', 'type': 'boolean'},"
            + " {'name': 'Order', 'type': ['null', 'string']}, {'name': 'country', 'type': 'string'},"
            + " {'name': 'device', 'type': {'type': 'enum', 'name': 'D', 'symbols': ['PHONE', 'TV']}},"
            + " {'name': 'key', 'type': 'string'}, {'name': 'note', 'type': 'string', 'default': 'none'},"
            + " {'name': 'tries', 'type': 'long', 'default': 3}]}";

    private static IngestSettings shop() {
        IngestSettings settings = Samples.settings();
        settings.readerSchema = SHOP.replace('\'', '"');
        settings.event.id = "key";
        settings.event.time = "at";
        settings.event.timeUnit = "us";
        settings.event.click = "bought";
        settings.measures.get(0).field = "bought";
        settings.dimensions.remove(1);
        settings.dimensions.get(0).field = "country";
        settings.dimensions.get(0).column = "land";
        settings.kept = new ArrayList<>();
        for (String field : new String[] {"note", "first", "Order", "device", "bid", "tries"}) {
            settings.kept.add(new IngestSettings.Kept());
            settings.kept.get(settings.kept.size() - 1).field = field;
            settings.kept.get(settings.kept.size() - 1).column = field.toLowerCase();
        }
        settings.rawEventsPercent = 100;
        return settings;
    }

    private static GenericRecord event(String schema) {
        Schema writer = new Schema.Parser().parse(schema);
        GenericRecord event = new GenericData.Record(writer);
        event.put("key", "k\0");
        event.put("at", 1_700_000_000_000_999L);
        event.put("bought", true);
        event.put("Order", "a\0b");
        event.put("country", " ");
        event.put("first", true);
        event.put("device", new GenericData.EnumSymbol(writer.getField("device").schema(), "TV"));
        return event;
    }

    /** The row of a record that has been decoded; null: it is not wanted. */
    private static Row row(IngestSettings settings, GenericRecord event) throws MalformedException {
        RawEvents raw = new RawEvents(settings);
        Event read = new Event(settings.dimensions.size(), settings.measures.size());
        // Of an earlier record, which nothing must be left of.
        read.idPosition = 1 << 20;
        read.idLength = 1;
        byte[] value = Samples.wire(Samples.SCHEMA_ID, Samples.encode(event));
        read.load(Samples.record(0, 0, 0, value));
        read.plan = new DecodePlan.Compiler(settings).compile(event.getSchema().toString());
        assertNull(read.plan.problem);
        AvroCursor cursor = new AvroCursor();
        cursor.reset(value, EventDecoder.HEADER_BYTES);
        read.plan.read(cursor, read);
        return raw.wants(read) ? raw.row(read) : null;
    }

    @Test
    void theShippedEventHasItsColumns() throws MalformedException {
        IngestSettings settings = Samples.settings();
        settings.rawEventsPercent = 100;
        GenericRecord event = Samples.event("", 4, 1, Samples.NOON);
        event.put("hour", 23_111_422);
        event.put("device_ip", "10.0.0.1");
        assertEquals(
                List.of("id", "click", "site_category", "device_type", "hour", "c1", "banner_pos", "site_id", "device_ip",
                        "event_time"),
                RawEvents.columns(settings));
        assertEquals(
                Row.of("x", 1, "unknown", 4, 23_111_422, 1, 1, "x", "10.0.0.1", Samples.NOON), row(settings, event));
        assertEquals(
                Types.ROW(Types.STRING, Types.INT, Types.STRING, Types.INT, Types.INT, Types.INT, Types.INT, Types.STRING,
                        Types.STRING, Types.LONG),
                RawEvents.type(settings));
    }

    @Test
    void anotherEventHasTheColumnsThatAreDeclared() throws MalformedException {
        IngestSettings settings = shop();
        GenericRecord event = event(settings.readerSchema);
        event.put("bid", 1L << 40);
        event.put("note", "");
        event.put("tries", -1L);
        assertEquals(
                Row.of("k\uFFFD", 1, "unknown", "", true, "a\uFFFDb", "TV", 1L << 40, -1L, 1_700_000_000_000L),
                row(settings, event));
        event.put("Order", null);
        event.put("bought", false);
        assertEquals(
                Row.of("k\uFFFD", 0, "unknown", "", true, "", "TV", 1L << 40, -1L, 1_700_000_000_000L),
                row(settings, event));
        assertEquals(
                Types.ROW(Types.STRING, Types.INT, Types.STRING, Types.STRING, Types.BOOLEAN, Types.STRING, Types.STRING,
                        Types.LONG, Types.LONG, Types.LONG),
                RawEvents.type(settings));
        assertEquals(
                "INSERT INTO realtime.raw_events (\"id\", \"click\", \"land\", \"note\", \"first\", \"order\", \"device\","
                        + " \"bid\", \"tries\", \"event_time\") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                RawEvents.insert(RawEvents.columns(settings)));
    }

    @Test
    void aFieldThatAWriterLacksOrHasInAnotherTypeHasItsDefault() throws MalformedException {
        IngestSettings settings = shop();
        String other = settings.readerSchema
                .replace("\"bid\", \"type\": \"long\"", "\"bid\", \"type\": \"int\"")
                .replace(", {\"name\": \"note\", \"type\": \"string\", \"default\": \"none\"}", "")
                .replace("\"tries\", \"type\": \"long\", \"default\": 3", "\"tries\", \"type\": \"string\"");
        GenericRecord event = event(other);
        event.put("bid", 7);
        event.put("tries", "many");
        assertEquals(
                Row.of("k\uFFFD", 1, "unknown", "none", true, "a\uFFFDb", "TV", 7L, 3L, 1_700_000_000_000L),
                row(settings, event));
    }

    @Test
    void anEventWithoutAnIdIsCountedAndNotKept() throws MalformedException {
        IngestSettings settings = shop();
        String named = settings.readerSchema;
        settings.readerSchema = named.replace("\"key\", \"type\": \"string\"", "\"key\", \"type\": \"string\", \"default\": \"\"");
        String number = named.replace("\"key\", \"type\": \"string\"", "\"key\", \"type\": \"int\"");
        String missing = named.replace("\"name\": \"key\"", "\"name\": \"clef\"");
        for (String writer : List.of(number, missing)) {
            GenericRecord event = new GenericData.Record(new Schema.Parser().parse(writer));
            GenericRecord whole = event(named);
            for (Schema.Field field : event.getSchema().getFields()) {
                event.put(field.name(), field.name().equals("clef") ? "k" : whole.get(field.name()));
            }
            event.put("bid", 1L);
            event.put("note", "");
            event.put("tries", 1L);
            if (writer.equals(number)) {
                event.put("key", 1);
            }
            assertNull(row(settings, event));
        }
    }

    @Test
    void anIdOfUsualLengthStaysAsItIs() {
        for (String id : new String[] {"", "e1", "x".repeat(256), "\uD83C\uDF4E".repeat(256)}) {
            assertEquals(id, RawEvents.key(id));
        }
    }

    @Test
    void aLongOneIsCutAndItsHashAdded() {
        String first = "x".repeat(256) + "1";
        String second = "x".repeat(256) + "2";
        assertEquals(256, RawEvents.key(first).length());
        assertTrue(RawEvents.key(first).startsWith("x".repeat(192)));
        assertNotEquals(RawEvents.key(first), RawEvents.key(second));
        assertEquals(
                "x".repeat(192) + "1853dfaa", RawEvents.key("x".repeat(6_000)).substring(0, 200), "SHA-256 of the whole id");
        String apples = "\uD83C\uDF4E".repeat(257);
        assertEquals(256, RawEvents.key(apples).codePointCount(0, RawEvents.key(apples).length()));
    }
}
