package ctr.ingest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Header;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class DeadLetterTest {

    private static DeadLetter deadLetter(byte[] key, byte[] value, String message, Header... headers) {
        ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>(
                "raw", 3, 42, 0, TimestampType.LOG_APPEND_TIME, 0, 0, key, value, new RecordHeaders(headers),
                Optional.empty());
        return DeadLetter.of(record, Outcome.MALFORMED, message);
    }

    private static ProducerRecord<byte[], byte[]> sent(DeadLetter deadLetter) {
        return new DeadLetterSerializer("errors").serialize(deadLetter, null, null);
    }

    private static DeadLetter throughState(DeadLetter deadLetter) throws Exception {
        var format = StateFormats.DEFERRED_DEAD_LETTER;
        byte[] stored = format.serialize(new DeferredDeadLetter(deadLetter));
        return format.deserialize(format.getVersion(), stored).deadLetter;
    }

    @Test
    void aValueThatNoProducerBufferHoldsIsLeftOutAndSaidToBe() {
        DeadLetter kept = deadLetter(null, new byte[DeadLetter.MAX_VALUE_BYTES], "why");
        assertEquals(DeadLetter.MAX_VALUE_BYTES, kept.value.length);
        DeadLetter tooLarge = deadLetter(null, new byte[DeadLetter.MAX_VALUE_BYTES + 1], "why");
        assertNull(tooLarge.value);
        assertEquals("why (a value of " + (DeadLetter.MAX_VALUE_BYTES + 1) + " bytes, left out)", tooLarge.message);
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
