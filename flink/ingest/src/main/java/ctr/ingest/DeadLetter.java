package ctr.ingest;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Header;

/** Carries a dead-lettered record with everything it came with, and why. A Flink POJO on its way to the sink. */
public final class DeadLetter {

    /** Kafka Connect's bound for a reason would be none; ours keeps a dead letter near its record's size. */
    static final int MAX_MESSAGE_BYTES = 1024;

    /**
     * A larger value, which only compression brings past the raw topic's limit, is left out of its dead letter: it
     * would fill the producer's buffer and stop the job. It stays in the raw topic, at the dead letter's coordinates.
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
    public DeadLetter() {}

    static DeadLetter of(ConsumerRecord<byte[], byte[]> record, Outcome outcome, String message) {
        DeadLetter made = new DeadLetter();
        made.topic = record.topic();
        made.partition = record.partition();
        made.offset = record.offset();
        made.reason = outcome.reason();
        made.message = message;
        made.key = record.key();
        made.value = record.value();
        if (made.value != null && made.value.length > MAX_VALUE_BYTES) {
            made.message = message + " (a value of " + made.value.length + " bytes, left out)";
            made.value = null;
        }
        Header[] headers = record.headers().toArray();
        made.headerKeys = Arrays.stream(headers).map(Header::key).toArray(String[]::new);
        made.headerValues = Arrays.stream(headers).map(Header::value).toArray(byte[][]::new);
        return made;
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
