package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Header;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class DeadLetterTest {

    private static final int MAX_BYTES = Samples.settings().deadLetterMaxBytes;

    private static DeadLetter deadLetter(byte[] key, byte[] value, String message, Header... headers) {
        ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>(
                "raw", 3, 42, 0, TimestampType.LOG_APPEND_TIME, 0, 0, key, value, new RecordHeaders(headers),
                Optional.empty());
        return DeadLetter.of(record, null, Outcome.MALFORMED, message, MAX_BYTES);
    }

    private static ProducerRecord<byte[], byte[]> sent(DeadLetter deadLetter) {
        return new DeadLetterSerializer("errors").serialize(deadLetter, null, null);
    }

    private static DeadLetter throughState(DeadLetter deadLetter) throws Exception {
        var format = StateFormats.DEFERRED_DEAD_LETTER;
        byte[] stored = format.serialize(new DeferredDeadLetter(deadLetter));
        return format.deserialize(format.getVersion(), stored).deadLetter;
    }

    private static byte[] noise(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    private static String omitted(DeadLetter deadLetter) {
        Header header = sent(deadLetter).headers().lastHeader("omitted");
        return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
    }

    @Test
    void whatTheTopicTakesIsKept() {
        int room = MAX_BYTES - DeadLetter.ENVELOPE_BYTES;
        DeadLetter largest = deadLetter(null, noise(room), "why");
        assertEquals("", omitted(largest));
        assertEquals(room, largest.value.length);
        DeadLetter compressible = deadLetter(null, new byte[DeadLetter.MAX_UNCOMPRESSED_BYTES], "why");
        assertEquals("", omitted(compressible), "zeros are small on the wire");
    }

    @Test
    void whatDoesNotFitIsLeftOutInOrderAndNamed() {
        int room = MAX_BYTES - DeadLetter.ENVELOPE_BYTES;
        byte[] much = noise(room + 1);
        Header[] headers = {new RecordHeader("trace", much)};
        assertEquals("value=" + much.length, omitted(deadLetter(new byte[] {1}, much, "why", new RecordHeader("a", new byte[3]))));
        DeadLetter three = deadLetter(much, much, "why", headers);
        assertEquals("value=" + much.length + ",headers=" + (much.length + 25) + ",key=" + much.length, omitted(three));
        assertNull(sent(three).value());
        assertNull(sent(three).key());
        DeadLetter key = deadLetter(much, null, "why");
        assertEquals("key=" + much.length, omitted(key), "a value that is not there is not left out");
        byte[] zeros = new byte[DeadLetter.MAX_UNCOMPRESSED_BYTES + 1];
        assertEquals("value=" + zeros.length, omitted(deadLetter(null, zeros, "why")), "no producer buffer holds it");
        assertEquals("key=20971520", omitted(deadLetter(new byte[20 << 20], null, "why")));
    }

    @Test
    void itHoldsTheRecordUnchangedAndSaysWhereItCameFrom() {
        byte[] key = {1, 2};
        byte[] value = {0, 9, 9};
        ProducerRecord<byte[], byte[]> sent = sent(deadLetter(key, value, "why", new RecordHeader("trace", new byte[] {7})));
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
        DeadLetter deadLetter = deadLetter(null, null, "why", new RecordHeader("empty", (byte[]) null), new RecordHeader("", new byte[0]));
        for (DeadLetter each : new DeadLetter[] {deadLetter, throughState(deadLetter)}) {
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
        ProducerRecord<byte[], byte[]> sent = sent(deadLetter(
                null, null, "why", new RecordHeader("reason", new byte[] {1}), new RecordHeader("reason", new byte[] {2})));
        assertEquals(7, sent.headers().toArray().length);
        assertEquals("malformed", new String(sent.headers().lastHeader("reason").value(), StandardCharsets.UTF_8));
    }

    @Test
    void aDeadLetterSurvivesItsStateUnchanged() throws Exception {
        DeadLetter deadLetter = deadLetter(new byte[] {1}, new byte[] {2}, "wärum", new RecordHeader("a", new byte[] {3}));
        DeadLetter restored = throughState(deadLetter);
        assertArrayEquals(deadLetter.key, restored.key);
        assertArrayEquals(deadLetter.value, restored.value);
        assertEquals(sent(deadLetter).headers(), sent(restored).headers());
    }

    @Test
    void aLongMessageIsCutBetweenCharacters() {
        for (String character : new String[] {"x", "ä", "€", "🍎"}) {
            for (int lead = 0; lead < 5; lead++) {
                String message = "x".repeat(lead) + character.repeat(2_000);
                byte[] cut = deadLetter(null, null, message).messageBytes();
                String text = new String(cut, StandardCharsets.UTF_8);
                assertTrue(message.startsWith(text));
                assertTrue(cut.length <= 1_024 && cut.length > 1_024 - 4);
            }
        }
        assertEquals(1_024, deadLetter(null, null, "x".repeat(1_024)).messageBytes().length);
        assertArrayEquals("kürz".getBytes(StandardCharsets.UTF_8), deadLetter(null, null, "kürz").messageBytes());
    }
}
