package ctr.ingest;

import static ctr.ingest.Samples.NOON;
import static ctr.ingest.Samples.SCHEMA_ID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.util.Collector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The outcomes that a record's own content decides. */
class EventDecoderTest {

    private Registry registry;
    private EventDecoder decoder;

    @BeforeEach
    void open() throws IOException {
        registry = new Registry(0).knows(SCHEMA_ID, Samples.settings().readerSchema);
        decoder = decoder(registry.url());
    }

    @AfterEach
    void close() {
        registry.close();
    }

    static EventDecoder decoder(String registryUrl) {
        IngestSettings settings = Samples.settings();
        settings.registryUrl = registryUrl;
        EventDecoder decoder = new EventDecoder(settings);
        decoder.open(null);
        return decoder;
    }

    /** The one event that comes of a record that the broker wrote at {@code brokerTimeMs}. */
    static Event decode(EventDecoder decoder, byte[] value, long brokerTimeMs) throws IOException {
        List<Event> out = new ArrayList<>();
        decoder.deserialize(Samples.record(0, 0, brokerTimeMs, value), new Collector<>() {
            @Override
            public void collect(Event event) {
                out.add(event);
            }

            @Override
            public void close() {}
        });
        assertEquals(1, out.size(), "every record has an outcome");
        return out.get(0);
    }

    static byte[] good() {
        return Samples.wire(SCHEMA_ID, Samples.encode(Samples.event("news", 4, 1, NOON)));
    }

    private Event decode(byte[] value) throws IOException {
        return decode(decoder, value, NOON);
    }

    private Event decode(int click, long timestampMs, long brokerTimeMs) throws IOException {
        byte[] avro = Samples.encode(Samples.event("news", 4, click, timestampMs));
        return decode(decoder, Samples.wire(SCHEMA_ID, avro), brokerTimeMs);
    }

    @Test
    void aGoodRecordIsCountedWithItsValues() throws IOException {
        Event event = decode(good());
        assertEquals(Outcome.COUNTED, event.outcome);
        assertNull(event.problem);
        assertEquals(List.of("news", 4), List.of(event.dimensions));
        assertEquals(1, event.click);
        assertEquals(1, event.measures[0]);
        assertEquals(NOON, event.timestampMs);
    }

    @Test
    void whatIsNotInWireFormatIsMalformed() throws IOException {
        byte[] otherMagic = good();
        otherMagic[0] = 1;
        for (byte[] value : new byte[][] {null, {}, {0}, {0, 0, 0, 7}, otherMagic, "hello".getBytes()}) {
            Event event = decode(value);
            assertEquals(Outcome.MALFORMED, event.outcome);
            assertEquals(MalformedException.NOT_WIRE_FORMAT.getMessage(), event.problem);
        }
        assertTrue(registry.questions.isEmpty());
    }

    @Test
    void aRecordWithoutABodyIsMalformed() throws IOException {
        assertEquals(Outcome.MALFORMED, decode(Samples.wire(SCHEMA_ID, new byte[0])).outcome);
    }

    @Test
    void aRecordAfterARejectedOneIsReadAfresh() throws IOException {
        byte[] cut = java.util.Arrays.copyOf(good(), good().length - 1);
        for (byte[] bad : new byte[][] {cut, null, Samples.wire(999, new byte[9]), Samples.wire(SCHEMA_ID, new byte[200])}) {
            assertTrue(decode(bad).outcome != Outcome.COUNTED);
            aGoodRecordIsCountedWithItsValues();
        }
    }

    @Test
    void clickIsZeroOrOne() throws IOException {
        assertEquals(Outcome.COUNTED, decode(0, NOON, NOON).outcome);
        assertEquals(Outcome.COUNTED, decode(1, NOON, NOON).outcome);
        for (int click : new int[] {7, 2, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            Event event = decode(click, NOON, NOON);
            assertEquals(Outcome.INVALID, event.outcome);
            assertEquals("click is " + click + ", not 0 or 1", event.problem);
        }
    }

    @Test
    void aTimestampIsOfTheYear2000OrLater() throws IOException {
        long year2000 = 946_684_800_000L;
        assertEquals(Outcome.COUNTED, decode(0, year2000, NOON).outcome);
        for (long time : new long[] {year2000 - 1, 1, 0, -1, Long.MIN_VALUE}) {
            assertEquals(Outcome.INVALID, decode(0, time, NOON).outcome);
        }
        assertEquals("timestamp is 1700000100 ms, which looks like seconds", decode(0, NOON / 1000, NOON).problem);
        assertEquals("timestamp is 0 ms, before the year 2000", decode(0, 0, NOON).problem);
    }

    @Test
    void aTimestampIsAtMostAMinuteAheadOfTheBrokers() throws IOException {
        assertEquals(Outcome.COUNTED, decode(0, NOON + 60_000, NOON).outcome);
        assertEquals(Outcome.INVALID, decode(0, NOON + 60_001, NOON).outcome);
        long year = 365L * 24 * 3_600_000;
        assertEquals("timestamp is " + year + " ms ahead of the broker's " + NOON, decode(0, NOON + year, NOON).problem);
        assertEquals(Outcome.INVALID, decode(0, Long.MAX_VALUE, NOON).outcome);
        assertEquals(Outcome.INVALID, decode(0, Long.MAX_VALUE, -1).outcome, "a record without a broker time");
    }

    @Test
    void aMeasureHasABoundThatKeepsItsSumsIn64Bits() throws IOException {
        IngestSettings settings = Samples.settings();
        settings.registryUrl = registry.url();
        settings.readerSchema = settings.readerSchema.replace(
                "{\"name\": \"C20\", \"type\": \"int\", \"default\": 0}",
                "{\"name\": \"C20\", \"type\": \"long\", \"default\": 1000000000001}");
        for (String field : new String[] {"C21", "C20"}) {
            IngestSettings.Measure measure = new IngestSettings.Measure();
            measure.field = field;
            measure.column = field;
            settings.measures.add(measure);
        }
        registry.knows(8, settings.readerSchema);
        registry.knows(9, settings.readerSchema.replace("\"C20\"", "\"C22\""));
        EventDecoder measuring = new EventDecoder(settings);
        measuring.open(null);
        Schema writer = new Schema.Parser().parse(settings.readerSchema);
        GenericRecord sample = new GenericData.Record(writer);
        Samples.event("news", 4, 1, NOON).getSchema().getFields().forEach(
                field -> sample.put(field.name(), Samples.event("news", 4, 1, NOON).get(field.name())));
        long most = 1_000_000_000_000L;
        for (long value : new long[] {0, 1, -1, most, -most}) {
            sample.put("C20", value);
            Event event = decode(measuring, Samples.wire(8, Samples.encode(sample)), NOON);
            assertEquals(Outcome.COUNTED, event.outcome);
            assertEquals(List.of(1L, 1L, value), List.of(event.measures[0], event.measures[1], event.measures[2]));
        }
        for (long value : new long[] {most + 1, -most - 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
            sample.put("C20", value);
            Event event = decode(measuring, Samples.wire(8, Samples.encode(sample)), NOON);
            assertEquals(Outcome.INVALID, event.outcome);
            assertEquals("C20 is " + value + ", beyond 1000000000000 or its negative", event.problem);
        }
        sample.put("C20", 0L);
        Event event = decode(measuring, Samples.wire(9, Samples.encode(sample)), NOON);
        assertEquals(Outcome.INVALID, event.outcome, "a default obeys it too");
    }

    @Test
    void schemaVersionsSideBySideNeedNoRestart() throws IOException {
        RandomAvro avro = new RandomAvro(1);
        for (int id = 100; id < 120; id++) {
            Schema writer = avro.evolved();
            registry.knows(id, writer.toString());
            GenericRecord event = avro.event(writer);
            Event read = decode(decoder, Samples.wire(id, Samples.encode(event)), Long.MAX_VALUE / 2);
            boolean ofAnyTime = ((Number) event.get("timestamp")).longValue() >= Samples.settings().timeRules.earliestMs;
            assertEquals(ofAnyTime ? Outcome.COUNTED : Outcome.INVALID, read.outcome);
            assertEquals(event.get("device_type"), read.dimensions[1]);
            aGoodRecordIsCountedWithItsValues();
        }
        assertEquals(21, registry.questions.size(), "each schema is asked for once");
    }

    @Test
    void anUnusableSchemaIsUnknown() throws IOException {
        registry.knows(8, "{\"type\": \"record\", \"name\": \"Other\", \"fields\": [{\"name\": \"id\", \"type\": \"string\"}]}");
        Event event = decode(Samples.wire(8, new byte[] {2, 'x'}));
        assertEquals(Outcome.UNKNOWN_SCHEMA, event.outcome);
        assertEquals("its schema has no usable field 'click'", event.problem);
        registry.knows(9, "\"bytes\"");
        assertEquals(Outcome.UNKNOWN_SCHEMA, decode(Samples.wire(9, new byte[] {0})).outcome);
    }

    @Test
    void anIdThatTheRegistryDoesNotKnowIsUnknownAndAskedForOnce() throws IOException {
        for (int i = 0; i < 3; i++) {
            Event event = decode(Samples.wire(12_345, new byte[20]));
            assertEquals(Outcome.UNKNOWN_SCHEMA, event.outcome);
            assertEquals("the registry does not know schema id 12345", event.problem);
        }
        assertEquals(List.of("/schemas/ids/12345"), registry.questions);
    }

    @Test
    void aNegativeIdIsUnknownWithoutAQuestion() throws IOException {
        assertEquals(Outcome.UNKNOWN_SCHEMA, decode(Samples.wire(-1, new byte[20])).outcome);
        assertTrue(registry.questions.isEmpty());
    }
}
