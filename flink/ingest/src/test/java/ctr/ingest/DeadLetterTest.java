package ctr.front;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.typeutils.PojoTypeInfo;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Header;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class LetterTest {

    private static Letter letter(byte[] key, byte[] value, String message, Header... headers) {
        ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>(
                "raw", 3, 42, 0, TimestampType.LOG_APPEND_TIME, 0, 0, key, value, new RecordHeaders(headers),
                Optional.empty());
        return Letter.of(record, Fate.MALFORMED, message);
    }

    private static ProducerRecord<byte[], byte[]> sent(Letter letter) {
        return new LetterSerializer("errors").serialize(letter, null, null);
    }

    private static Letter throughState(Letter letter) throws Exception {
        TypeInformation<Letter> type = TypeInformation.of(Letter.class);
        assertTrue(type instanceof PojoTypeInfo, "state of this type can evolve");
        var serializer = type.createSerializer(new SerializerConfigImpl());
        DataOutputSerializer bytes = new DataOutputSerializer(64);
        serializer.serialize(letter, bytes);
        return serializer.deserialize(new DataInputDeserializer(bytes.getCopyOfBuffer()));
    }

    @Test
    void aValueThatNoProducerBufferHoldsIsLeftOutAndSaidToBe() {
        Letter kept = letter(null, new byte[Letter.MAX_VALUE_BYTES], "why");
        assertEquals(Letter.MAX_VALUE_BYTES, kept.value.length);
        Letter tooLarge = letter(null, new byte[Letter.MAX_VALUE_BYTES + 1], "why");
        assertNull(tooLarge.value);
        assertEquals("why (a value of " + (Letter.MAX_VALUE_BYTES + 1) + " bytes, left out)", tooLarge.message);
    }

    @Test
    void itHoldsTheRecordUnchangedAndSaysWhereItCameFrom() {
        byte[] key = {1, 2};
        byte[] value = {0, 9, 9};
        ProducerRecord<byte[], byte[]> sent = sent(letter(key, value, "why", new RecordHeader("trace", new byte[] {7})));
        assertEquals("errors", sent.topic());
        assertArrayEquals(key, sent.key());
        assertArrayEquals(value, sent.value());
        List<String> headers = Arrays.stream(sent.headers().toArray())
                .map(header -> header.key() + "=" + new String(header.value(), StandardCharsets.UTF_8))
                .toList();
        assertEquals(
                List.of(
                        "trace=\u0007",
                        "reason=malformed",
                        "__connect.errors.topic=raw",
                        "__connect.errors.partition=3",
                        "__connect.errors.offset=42",
                        "__connect.errors.exception.message=why"),
                headers);
    }

    @Test
    void nothingIsMadeOfNothing() throws Exception {
        Letter letter = letter(null, null, "why", new RecordHeader("empty", (byte[]) null), new RecordHeader("", new byte[0]));
        for (Letter each : new Letter[] {letter, throughState(letter)}) {
            ProducerRecord<byte[], byte[]> sent = sent(each);
            assertNull(sent.key());
            assertNull(sent.value());
            assertNull(sent.headers().toArray()[0].value());
            assertEquals("", sent.headers().toArray()[1].key());
            assertArrayEquals(new byte[0], sent.headers().toArray()[1].value());
        }
    }

    @Test
    void headersOfTheSameNameAllStay() {
        ProducerRecord<byte[], byte[]> sent = sent(letter(
                null, null, "why", new RecordHeader("reason", new byte[] {1}), new RecordHeader("reason", new byte[] {2})));
        assertEquals(7, sent.headers().toArray().length);
        assertEquals("malformed", new String(sent.headers().lastHeader("reason").value(), StandardCharsets.UTF_8));
    }

    @Test
    void aLetterSurvivesItsStateUnchanged() throws Exception {
        Letter letter = letter(new byte[] {1}, new byte[] {2}, "wärum", new RecordHeader("a", new byte[] {3}));
        Letter restored = throughState(letter);
        assertArrayEquals(letter.key, restored.key);
        assertArrayEquals(letter.value, restored.value);
        assertEquals(sent(letter).headers(), sent(restored).headers());
    }

    @Test
    void aLongMessageIsCutBetweenCharacters() {
        for (String character : new String[] {"x", "ä", "€", "🍎"}) {
            for (int lead = 0; lead < 5; lead++) {
                String message = "x".repeat(lead) + character.repeat(2_000);
                byte[] cut = letter(null, null, message).messageBytes();
                String text = new String(cut, StandardCharsets.UTF_8);
                assertTrue(message.startsWith(text));
                assertTrue(cut.length <= 1_024 && cut.length > 1_024 - 4);
            }
        }
        assertEquals(1_024, letter(null, null, "x".repeat(1_024)).messageBytes().length);
        assertArrayEquals("kürz".getBytes(StandardCharsets.UTF_8), letter(null, null, "kürz").messageBytes());
    }
}
