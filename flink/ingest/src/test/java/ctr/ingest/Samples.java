package ctr.ingest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumWriter;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryEncoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.EncoderFactory;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.TimestampType;

/** The settings that the job really gives the ingest stage, and records as producers write them. */
final class Samples {

    /** A moment at the start of a five minute window, ms. */
    static final long NOON = 1_700_000_100_000L;

    static final int SCHEMA_ID = 7;

    private static final IngestSettings SETTINGS = settings();
    private static final Schema READER = new Schema.Parser().parse(SETTINGS.readerSchema);

    private Samples() {}

    /** As {@code flink/job.py} makes them: the file that the system property names. The caller may change them. */
    static IngestSettings settings() {
        try {
            IngestSettings settings =
                    IngestSettings.fromJson(Files.readString(Path.of(System.getProperty("ctr.ingest.settings"))));
            // No warehouse is there: what schema ids stand for is kept nowhere.
            settings.jdbcUrl = null;
            return settings;
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static Schema readerSchema() {
        return READER;
    }

    /** An event of the reader's schema, valid in every field. */
    static GenericRecord event(String category, int deviceType, int click, long timestampMs) {
        GenericRecord event = new GenericData.Record(readerSchema());
        for (Schema.Field field : event.getSchema().getFields()) {
            event.put(field.name(), field.schema().getType() == Schema.Type.STRING ? "x" : Integer.valueOf(1));
        }
        event.put("site_category", category);
        event.put("device_type", deviceType);
        event.put("click", click);
        event.put("timestamp", timestampMs);
        return event;
    }

    static byte[] encode(GenericRecord datum) {
        return encode(datum.getSchema(), datum, false);
    }

    /** Avro's own encoding; {@code blocking} gives arrays and maps their size in bytes too. */
    static byte[] encode(Schema schema, Object datum, boolean blocking) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        EncoderFactory factory = new EncoderFactory().configureBlockSize(64);
        BinaryEncoder encoder =
                blocking ? factory.blockingBinaryEncoder(bytes, null) : factory.binaryEncoder(bytes, null);
        try {
            new GenericDatumWriter<Object>(schema).write(datum, encoder);
            encoder.flush();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return bytes.toByteArray();
    }

    /** Confluent's wire format. */
    static byte[] wire(int schemaId, byte[] avro) {
        return ByteBuffer.allocate(5 + avro.length).put((byte) 0).putInt(schemaId).put(avro).array();
    }

    static ConsumerRecord<byte[], byte[]> record(int partition, long offset, long brokerTimeMs, byte[] value) {
        return record(partition, offset, brokerTimeMs, TimestampType.LOG_APPEND_TIME, value);
    }

    static ConsumerRecord<byte[], byte[]> record(
            int partition, long offset, long timeMs, TimestampType timestampType, byte[] value) {
        return new ConsumerRecord<>(
                SETTINGS.rawTopic,
                partition,
                offset,
                timeMs,
                timestampType,
                ConsumerRecord.NULL_SIZE,
                value == null ? ConsumerRecord.NULL_SIZE : value.length,
                null,
                value,
                new RecordHeaders(),
                Optional.empty());
    }
}
