package ctr.ingest;

import java.nio.charset.StandardCharsets;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.compress.Compression;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.CompressionType;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.MemoryRecords;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.Record;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.record.SimpleRecord;

/** Writes and reads a batch of records by each codec of Kafka's client, and prints the names of those that work. */
public final class Codecs {

    private Codecs() {}

    public static void main(String[] args) {
        for (CompressionType codec : CompressionType.values()) {
            try {
                byte[] value = "value".repeat(100).getBytes(StandardCharsets.UTF_8);
                Compression compression = Compression.of(codec).build();
                for (Record record : MemoryRecords.withRecords(compression, new SimpleRecord(value)).records()) {
                    if (record.valueSize() == value.length) {
                        System.out.println(codec.name);
                    }
                }
            } catch (Throwable failed) { // an Error, where a native library cannot be loaded
                System.err.println(codec.name + ": " + failed);
            }
        }
    }
}
