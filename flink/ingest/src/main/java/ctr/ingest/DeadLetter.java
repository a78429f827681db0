package ctr.front;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Header;

/** A refused record with everything it came with, and why. A Flink POJO: it may wait in state. */
public final class Letter {

    /** Kafka Connect's bound for a reason would be none; ours keeps a letter near its record's size. */
    static final int MAX_MESSAGE_BYTES = 1024;

    /**
     * A larger value, which only compression brings past the raw topic's limit, is left out of its letter: it
     * would fill the producer's buffer and stop the job. It stays in the raw topic, at the letter's coordinates.
     */
    static final int MAX_VALUE_BYTES = 12 << 20;

    public String topic;
    public int partition;
    public long offset;
    public String reason;
    public String message;
    public byte[] key;
    public byte[] value;
    public String[] headerKeys;
    public byte[][] headerValues;

    /** For Flink's serializer. */
    public Letter() {}

    static Letter of(ConsumerRecord<byte[], byte[]> record, Fate fate, String message) {
        Letter letter = new Letter();
        letter.topic = record.topic();
        letter.partition = record.partition();
        letter.offset = record.offset();
        letter.reason = fate.reason();
        letter.message = message;
        letter.key = record.key();
        letter.value = record.value();
        if (letter.value != null && letter.value.length > MAX_VALUE_BYTES) {
            letter.message = message + " (a value of " + letter.value.length + " bytes, left out)";
            letter.value = null;
        }
        Header[] headers = record.headers().toArray();
        letter.headerKeys = Arrays.stream(headers).map(Header::key).toArray(String[]::new);
        letter.headerValues = Arrays.stream(headers).map(Header::value).toArray(byte[][]::new);
        return letter;
    }

    /** Rough size in memory, bytes. */
    int bytes() {
        int overhead = 256;
        return overhead + (key == null ? 0 : key.length) + (value == null ? 0 : value.length);
    }

    /** The message as UTF-8, cut to {@link #MAX_MESSAGE_BYTES} between two characters. */
    byte[] messageBytes() {
        byte[] utf8 = message.getBytes(StandardCharsets.UTF_8);
        int end = Math.min(utf8.length, MAX_MESSAGE_BYTES);
        while (end < utf8.length && (utf8[end] & 0xC0) == 0x80) {
            end--;
        }
        return Arrays.copyOf(utf8, end);
    }
}
