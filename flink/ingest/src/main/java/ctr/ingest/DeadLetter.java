package ctr.ingest;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.compress.Compression;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.Header;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.RecordBatch;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.utils.ByteBufferOutputStream;

/** Carries a dead-lettered record with everything it came with, and why. A Flink POJO on its way to the sink. */
public final class DeadLetter {

    /** Kafka Connect's bound for a reason would be none; ours keeps a dead letter near its record's size. */
    static final int MAX_MESSAGE_BYTES = 1024;

    /** Room for the headers that say where the record came from and why, and for the batch around it. */
    static final int ENVELOPE_BYTES = 8 << 10;

    /** Lengths of a header's name and value. */
    private static final int PER_HEADER_BYTES = 10;

    /** Larger ones, which only compression brings past the raw topic's limit, would fill the producer's buffer. */
    static final int MAX_UNCOMPRESSED_BYTES = 12 << 20;

    /** Header that names what was left out, with its size. */
    static final String OMITTED = "omitted";

    /** Last header of those that the record came with: Kafka's id of its topic, within which its offset identifies it. */
    static final String TOPIC_ID = "topic_id";

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

    /**
     * Makes the dead letter of a record. Where it would not fit the error topic, its value, then its headers, then its key
     * are left out, and a header says so: the original stays in the raw topic, at the dead letter's coordinates.
     *
     * @param topicId of the record's topic, as a header; null: not known
     * @param maxBytes what the error topic takes, compressed
     */
    static DeadLetter of(
            ConsumerRecord<byte[], byte[]> record, String topicId, Outcome outcome, String message, int maxBytes) {
        DeadLetter made = new DeadLetter();
        made.topic = record.topic();
        made.partition = record.partition();
        made.offset = record.offset();
        made.reason = outcome.reason();
        made.message = message;
        made.key = record.key();
        made.value = record.value();
        Header[] headers = record.headers().toArray();
        made.headerKeys = Arrays.stream(headers).map(Header::key).toArray(String[]::new);
        made.headerValues = Arrays.stream(headers).map(Header::value).toArray(byte[][]::new);
        made.fit(maxBytes - ENVELOPE_BYTES);
        if (topicId != null) {
            made.addHeader(TOPIC_ID, topicId);
        }
        return made;
    }

    private void fit(int maxBytes) {
        List<String> omitted = new ArrayList<>();
        if (value != null && !fits(maxBytes)) {
            omitted.add("value=" + value.length);
            value = null;
        }
        if (headerKeys.length > 0 && !fits(maxBytes)) {
            omitted.add("headers=" + headerBytes());
            headerKeys = new String[0];
            headerValues = new byte[0][];
        }
        if (key != null && !fits(maxBytes)) {
            omitted.add("key=" + key.length);
            key = null;
        }
        if (!omitted.isEmpty()) {
            addHeader(OMITTED, String.join(",", omitted));
        }
    }

    private void addHeader(String name, String text) {
        headerKeys = Arrays.copyOf(headerKeys, headerKeys.length + 1);
        headerValues = Arrays.copyOf(headerValues, headerKeys.length);
        headerKeys[headerKeys.length - 1] = name;
        headerValues[headerKeys.length - 1] = text.getBytes(StandardCharsets.UTF_8);
    }

    private boolean fits(int maxBytes) {
        long plain = plainBytes();
        return plain <= maxBytes || plain <= MAX_UNCOMPRESSED_BYTES && compressedBytes() <= maxBytes;
    }

    private long plainBytes() {
        return headerBytes() + (key == null ? 0 : key.length) + (value == null ? 0 : value.length);
    }

    private long headerBytes() {
        long bytes = 0;
        for (int i = 0; i < headerKeys.length; i++) {
            // As many as a name's characters can take.
            bytes += PER_HEADER_BYTES + 3L * headerKeys[i].length() + (headerValues[i] == null ? 0 : headerValues[i].length);
        }
        return bytes;
    }

    /** As the producer compresses: see {@link Ingest}. */
    private long compressedBytes() {
        ByteBufferOutputStream bytes = new ByteBufferOutputStream(1 << 16);
        try (OutputStream out = Compression.lz4().build().wrapForOutput(bytes, RecordBatch.MAGIC_VALUE_V2)) {
            out.write(key == null ? new byte[0] : key);
            out.write(value == null ? new byte[0] : value);
            for (int i = 0; i < headerKeys.length; i++) {
                out.write(headerKeys[i].getBytes(StandardCharsets.UTF_8));
                out.write(headerValues[i] == null ? new byte[0] : headerValues[i]);
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.position();
    }

    /** Rough size in memory, bytes. */
    long bytes() {
        int overhead = 256;
        return overhead + plainBytes();
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
