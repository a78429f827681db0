package ctr.ingest;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.TopicPartition;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Asks the broker how many partitions the topic has, and whether given offsets are its end. */
final class EndOffsets implements AutoCloseable {

    /** A request to an available broker takes milliseconds; to an unavailable one, this long. */
    private static final int TIMEOUT_MS = 5_000;

    /** Enough for a fetch to pass over transaction markers at a partition's end. */
    private static final Duration FETCH = Duration.ofSeconds(2);

    private final String topic;
    private final KafkaConsumer<byte[], byte[]> consumer;

    EndOffsets(IngestSettings settings) {
        topic = settings.rawTopic;
        Properties properties = new Properties();
        properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, settings.bootstrapServers);
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "1");
        properties.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
        properties.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
        consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    int partitionCount() {
        return consumer.partitionsFor(topic).size();
    }

    /** Whether no record that a reader may see lies at or after {@code nextOffsets}, by partition. */
    boolean readToEnd(Map<Integer, Long> nextOffsets) {
        List<TopicPartition> partitions =
                nextOffsets.keySet().stream().map(number -> new TopicPartition(topic, number)).toList();
        Map<TopicPartition, Long> first = consumer.beginningOffsets(partitions);
        Map<TopicPartition, Long> end = consumer.endOffsets(partitions);
        for (TopicPartition partition : partitions) {
            long next = Math.max(nextOffsets.get(partition.partition()), first.get(partition));
            if (next < end.get(partition) && !onlyMarkersBetween(partition, next, end.get(partition))) {
                return false;
            }
        }
        return true;
    }

    /** Markers of transactions take offsets too, so the end of a partition can lie beyond its last record. */
    private boolean onlyMarkersBetween(TopicPartition partition, long next, long end) {
        consumer.assign(List.of(partition));
        consumer.seek(partition, next);
        long deadlineNanos = System.nanoTime() + FETCH.toNanos();
        while (System.nanoTime() < deadlineNanos) {
            if (!consumer.poll(Duration.ofMillis(100)).isEmpty()) {
                return false;
            }
            if (consumer.position(partition) >= end) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
