package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.Test;

/** Whatever the bytes are, reading them ends, and ends as an event or as a {@link MalformedException}. */
class DamagedRecordTest {

    /** Far beyond what any of these takes; only an endless loop reaches it. */
    private static final Duration HANGS = Duration.ofSeconds(60);

    private final DecodePlan.Compiler compiler = new DecodePlan.Compiler(Samples.settings());

    private static void read(DecodePlan plan, byte[] avro) throws MalformedException {
        AvroCursor cursor = new AvroCursor();
        cursor.reset(avro, 0);
        plan.read(cursor, new Event(2, 1));
    }

    private static boolean readable(DecodePlan plan, byte[] avro) {
        try {
            read(plan, avro);
            return true;
        } catch (MalformedException malformed) {
            return false;
        }
    }

    /** The reader's schema with one more field at its end. */
    private static Schema with(Schema extra) {
        List<Schema.Field> fields = new java.util.ArrayList<>();
        Samples.readerSchema().getFields().forEach(field -> fields.add(new Schema.Field(field.name(), field.schema())));
        fields.add(new Schema.Field("extra", extra));
        return Schema.createRecord("AdEvent", null, "ctr", false, fields);
    }

    /** A valid event of the reader's schema, followed by these bytes. */
    private static byte[] followedBy(byte[] tail) {
        byte[] head = Samples.encode(Samples.event("news", 1, 0, Samples.NOON));
        byte[] whole = Arrays.copyOf(head, head.length + tail.length);
        System.arraycopy(tail, 0, whole, head.length, tail.length);
        return whole;
    }

    @Test
    void aRecordCutAtAnyByteIsMalformed() {
        RandomAvro avro = new RandomAvro(1);
        for (int i = 0; i < 200; i++) {
            Schema writer = i == 0 ? Samples.readerSchema() : avro.evolved();
            DecodePlan plan = compiler.compile(writer.toString());
            byte[] whole = Samples.encode(writer, avro.event(writer), i % 2 == 0);
            assertTrue(readable(plan, whole));
            for (int length = 0; length < whole.length; length++) {
                byte[] part = Arrays.copyOf(whole, length);
                assertThrows(MalformedException.class, () -> read(plan, part));
            }
        }
    }

    @Test
    void bytesLeftOverAreMalformed() {
        RandomAvro avro = new RandomAvro(2);
        for (int i = 0; i < 200; i++) {
            Schema writer = i == 0 ? Samples.readerSchema() : avro.evolved();
            DecodePlan plan = compiler.compile(writer.toString());
            byte[] whole = Samples.encode(avro.event(writer));
            for (int value = 0; value < 256; value++) {
                byte[] longer = Arrays.copyOf(whole, whole.length + 1 + avro.random().nextInt(3));
                longer[whole.length] = (byte) value;
                assertEquals(
                        MalformedException.BYTES_LEFT_OVER, assertThrows(MalformedException.class, () -> read(plan, longer)));
            }
        }
    }

    @Test
    void garbageIsReadOrMalformedButNothingElse() {
        RandomAvro avro = new RandomAvro(3);
        assertTimeoutPreemptively(HANGS, () -> {
            for (int i = 0; i < 200; i++) {
                DecodePlan plan = compiler.compile(avro.evolved().toString());
                for (int j = 0; j < 200; j++) {
                    readable(plan, avro.bytes(avro.random().nextInt(300)));
                }
            }
        });
    }

    @Test
    void aRecordWithDamagedBytesIsReadOrMalformedButNothingElse() {
        RandomAvro avro = new RandomAvro(4);
        assertTimeoutPreemptively(HANGS, () -> {
            int rejected = 0;
            for (int i = 0; i < 200; i++) {
                Schema writer = avro.evolved();
                DecodePlan plan = compiler.compile(writer.toString());
                byte[] whole = Samples.encode(writer, avro.event(writer), i % 2 == 0);
                for (int j = 0; j < 100; j++) {
                    byte[] damaged = whole.clone();
                    for (int k = avro.random().nextInt(3); k >= 0; k--) {
                        damaged[avro.random().nextInt(damaged.length)] = (byte) avro.random().nextInt();
                    }
                    rejected += readable(plan, damaged) ? 0 : 1;
                }
            }
            assertTrue(rejected > 1_000, "damage is mostly noticed");
        });
    }

    @Test
    void valuesNestedWithoutEndAreMalformed() {
        Schema list = new Schema.Parser().parse(
                """
                {"type": "record", "name": "List", "fields": [{"name": "next", "type": ["null", "List"]}]}""");
        DecodePlan plan = compiler.compile(with(list).toString());
        byte[] deep = new byte[1 << 20];
        Arrays.fill(deep, (byte) 2);
        byte[] deepest = Arrays.copyOf(deep, FieldReaders.MAX_DEPTH);
        deepest[FieldReaders.MAX_DEPTH - 1] = 0;
        assertTrue(readable(plan, followedBy(deepest)));
        byte[] deeper = Arrays.copyOf(deep, FieldReaders.MAX_DEPTH + 1);
        deeper[FieldReaders.MAX_DEPTH] = 0;
        for (byte[] tail : List.of(deeper, deep)) {
            assertEquals(
                    MalformedException.TOO_DEEP,
                    assertThrows(MalformedException.class, () -> read(plan, followedBy(tail))));
        }
    }

    @Test
    void aRecordThatContainsItselfIsMalformed() {
        Schema.Parser parser = new Schema.Parser();
        Schema endless = parser.parse("{\"type\": \"record\", \"name\": \"Self\", \"fields\": [{\"name\": \"self\", \"type\": \"Self\"}]}");
        DecodePlan plan = compiler.compile(with(endless).toString());
        assertThrows(MalformedException.class, () -> read(plan, followedBy(new byte[0])));
    }

    @Test
    void itemsOfNoBytesCostNothing() {
        Schema nothing = Schema.createArray(Schema.create(Schema.Type.NULL));
        Schema writer = with(Schema.createArray(nothing));
        DecodePlan plan = compiler.compile(writer.toString());
        assertNull(plan.problem);
        GenericRecord event = new RandomAvro(5).event(with(nothing));
        event.put("extra", Arrays.asList(new Object[1_000]));
        assertTrue(
                readable(compiler.compile(event.getSchema().toString()), Samples.encode(event)),
                "a thousand nulls in one byte are a valid array");
        byte[] claims = new byte[2_000_000];
        for (int i = 0; i < claims.length; i += 10) {
            // A block of 2^62 items, as a varint of nine bytes and one.
            Arrays.fill(claims, i, i + 9, (byte) 0x80);
            claims[i + 9] = 1;
        }
        assertTimeoutPreemptively(HANGS, () -> assertThrows(MalformedException.class, () -> read(plan, followedBy(claims))));
        DecodePlan nulls = compiler.compile(with(nothing).toString());
        assertTimeoutPreemptively(HANGS, () -> assertTrue(readable(nulls, followedBy(smallBlocks()))));
    }

    /** A megabyte of blocks that each claim a quarter of a million items, and the end of the array. */
    private static byte[] smallBlocks() {
        byte[] blocks = new byte[3 * 350_000 + 1];
        for (int i = 0; i + 3 < blocks.length; i += 3) {
            blocks[i] = (byte) 0x80;
            blocks[i + 1] = (byte) 0x80;
            blocks[i + 2] = 0x20;
        }
        return blocks;
    }
}
